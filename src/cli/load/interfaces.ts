import { attachXdp, inNamespace, type XdpAttachment, type XdpRefusal } from '../../link/index.ts';
import { interfaceByName, RouteSocket, tryInterfaceByName } from '../../netlink/index.ts';
import type { BpfProgram } from '../../programs/index.ts';
import type { InterfaceConfiguration, InterfaceModeName } from '../../sniffer/index.ts';
import type { NetworkNamespace } from '../../sys/index.ts';
import type { Output } from '../output/output.ts';
import type { LoadCommandOptions } from './options.ts';
import { staysUntil, unloadInterface } from './remedy.ts';

/** An interface as the kernel has it. */
export interface FoundInterface {
  readonly name: string;
  readonly index: number;
  readonly up: boolean;
  readonly mtu: number;
}

/** An interface that `load` attaches to. */
export type Target = InterfaceConfiguration & FoundInterface;

/** Looks every interface up before anything is loaded; a disabled one need not exist. @throws NotFoundError (INTERFACE_NOT_FOUND) */
export function findTargets<Wanted extends { readonly name: string; readonly mode?: InterfaceModeName }>(
  wanted: readonly Wanted[],
  netns: NetworkNamespace | undefined,
): (Wanted & FoundInterface)[] {
  return inNamespace(netns, () => {
    const socket = RouteSocket.open();
    try {
      return wanted.flatMap((one) => {
        const found =
          one.mode === 'disabled' ? tryInterfaceByName(socket, one.name) : interfaceByName(socket, one.name);
        return found ? [{ ...one, index: found.index, up: found.up, mtu: found.mtu }] : [];
      });
    } finally {
      socket.close();
    }
  });
}

/** Attaches the program to every interface; all of them or none. */
export function attachAll(
  program: BpfProgram,
  {
    targets,
    options,
    netns,
  }: {
    targets: readonly FoundInterface[];
    options: Pick<LoadCommandOptions, 'mode' | 'via' | 'replace'>;
    netns: NetworkNamespace | undefined;
  },
): XdpAttachment[] {
  const attached: XdpAttachment[] = [];
  try {
    for (const target of targets) {
      attached.push(
        attachXdp(program, {
          interface: target.index,
          ...(options.mode && { modes: options.mode }),
          ...(options.via && { via: options.via }),
          ...(options.replace === true && { replace: true }),
          ...(netns && { netns }),
        }),
      );
    }
    return attached;
  } catch (error) {
    for (const attachment of attached) attachment.close();
    throw error;
  }
}

/** Reports an attachment: on standard output where lines are JSON, otherwise as a note. */
export function reportAttached(
  output: Output,
  {
    attachment,
    program,
    options,
  }: {
    attachment: XdpAttachment;
    program: BpfProgram;
    options: Pick<LoadCommandOptions, 'netns' | 'detach'>;
  },
): void {
  const { target, ifindex, mode, via, refusals } = attachment;
  output.stream({
    json: () => ({
      type: 'attached',
      kind: 'xdp',
      program: program.name,
      target,
      ifindex,
      mode,
      via,
      program_id: program.id,
      link_id: attachment.id ?? null,
      ...(refusals.length > 0 && { refused: refusedFacts(refusals) }),
    }),
    text: () => `attached ${program.name} to ${target} (${mode} mode, by ${via}, program ${program.id})`,
  });
  for (const refusal of refusals)
    output.note(`note: ${refusal.mode} mode was refused on ${target}: ${refusal.reason}`);
  if (via === 'netlink') {
    const command = unloadInterface(target, { options });
    output.note(`note: ${target} is attached by netlink: ${staysUntil(command, options)}`);
  }
}

/** Modes that were refused, for JSON. */
export function refusedFacts(
  refusals: readonly XdpRefusal[],
): { mode: string; reason: string; errno: string; obstacle: string | null }[] {
  return refusals.map(({ mode, reason, errnoName, obstacle }) => ({
    mode,
    reason,
    errno: errnoName,
    obstacle: obstacle ?? null,
  }));
}
