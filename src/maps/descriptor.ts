import { ArgumentError } from '../errors.ts';
import type { Fd } from '../sys/index.ts';
import type { ElementCodec } from './map-codec.ts';

/** What has a descriptor: a map, a program, a socket of this library; or the number of one that the caller keeps open. */
export type DescriptorHolder = { readonly fd: Fd } | Fd | number;

/** The number of a descriptor that is open. @throws ClosedError, ArgumentError */
export function descriptorOf(holder: DescriptorHolder): number {
  const fd = typeof holder === 'object' && 'fd' in holder ? holder.fd : holder;
  const number = typeof fd === 'number' ? fd : fd.value;
  if (Number.isInteger(number) && number >= 0 && number <= 0x7fff_ffff) return number;
  throw new ArgumentError('descriptor', `Cannot use ${String(number)} as a descriptor`);
}

/** A key that is the descriptor of what it stands for; such keys are never read back. */
export const descriptorCodec: ElementCodec<DescriptorHolder, DescriptorHolder> = {
  size: 4,
  typeName: 'int',
  read: (view, offset) => view.getInt32(offset, true),
  write(view, offset, value) {
    view.setInt32(offset, descriptorOf(value), true);
  },
};
