import { ArgumentError } from '../errors.ts';
import { XDP_ABORTED, XDP_DROP, XDP_PASS, XDP_REDIRECT, XDP_TX } from '../uapi/index.ts';

/** What an XDP program says is to become of a packet. */
export type XdpAction = 'aborted' | 'drop' | 'pass' | 'tx' | 'redirect';

const NUMBERS: Readonly<Record<XdpAction, number>> = {
  aborted: XDP_ABORTED,
  drop: XDP_DROP,
  pass: XDP_PASS,
  tx: XDP_TX,
  redirect: XDP_REDIRECT,
};
const NAMES = Object.keys(NUMBERS) as XdpAction[];

/** @throws ArgumentError for a name that is none */
export function actionMask(actions: readonly XdpAction[]): number {
  const unknown = actions.find((action) => !NAMES.includes(action));
  if (unknown !== undefined) {
    throw new ArgumentError('chainCallActions', `Cannot attach: there is no XDP action ${unknown}`, {
      hint: `the actions are ${NAMES.join(', ')}`,
    });
  }
  return actions.reduce((mask, action) => mask | (1 << NUMBERS[action]), 0);
}

export function actionsOf(mask: number): XdpAction[] {
  return NAMES.filter((name) => (mask & (1 << NUMBERS[name])) !== 0);
}

/** The bit of `XDP_PASS`; undefined where the text names no action. */
export function actionBit(name: string): number | undefined {
  const action = NAMES.find((one) => name === `XDP_${one.toUpperCase()}`);
  return action && 1 << NUMBERS[action];
}
