import {
  detachXdpMulti,
  readXdpDispatcher,
  type DispatchedProgram,
  type XdpDispatcher,
} from '../../dispatcher/index.ts';
import { NotFoundError } from '../../errors.ts';
import { detachXdp } from '../../link/index.ts';
import { unpinDirectory } from '../../loader/index.ts';
import { NetworkNamespace } from '../../sys/index.ts';
import type { CommandInput } from '../command.ts';
import { ExitCode, UsageError } from '../exit-code.ts';
import type { Output } from '../output/output.ts';
import { findSubjects, isKind } from '../who/subjects.ts';
import { takeWhole } from '../words.ts';
import { unloadHeld } from './held.ts';

interface UnloadOptions {
  readonly iface: readonly string[];
  readonly prog?: string;
  readonly id?: number;
  readonly netns?: string;
}

/** `ts-xdp unload` */
export async function runUnload(input: CommandInput, output: Output): Promise<number> {
  const [directory, selector = []] = input.arguments as [string | undefined, string[] | undefined];
  const options = input.options as unknown as UnloadOptions;
  if (directory === undefined && options.iface.length === 0) {
    throw new UsageError(
      'unload needs an interface (--iface NAME), a directory of pins, or what to free: prog, map or link and its id',
    );
  }
  const program = options.id ?? options.prog;
  if (options.id !== undefined && options.prog !== undefined) {
    throw new UsageError('--prog and --id both say which program: give one of them');
  }
  if (program !== undefined && options.iface.length === 0) {
    throw new UsageError('--prog and --id go with --iface: they say which program of an interface');
  }
  if (options.netns !== undefined && options.iface.length === 0) {
    throw new UsageError('--netns goes with --iface: it says in which namespace the interface is');
  }
  if (isKind(directory) || selector.length > 0) {
    if (options.iface.length > 0) {
      throw new UsageError(
        `unload ${directory ?? ''} frees what holds it wherever that is, so it goes without --iface`,
      );
    }
    if (directory === undefined || selector.length === 0)
      throw new UsageError(
        `unload ${directory ?? ''} needs an id, a name, a tag or a pin; a directory of that name is ./${directory ?? ''}`,
      );
    return unloadHeld(findSubjects(directory, takeWhole(selector, `unload ${directory}`)), output);
  }
  if (directory !== undefined) unloadDirectory(directory, output);
  const netns = options.netns === undefined ? undefined : NetworkNamespace.open(options.netns);
  try {
    for (const name of options.iface) unloadInterface(name, { netns, program, output });
  } finally {
    netns?.close();
  }
  await output.flush();
  return ExitCode.Done;
}

function unloadInterface(
  name: string,
  context: { netns: NetworkNamespace | undefined; program: string | number | undefined; output: Output },
): void {
  const { netns, program, output } = context;
  const place = { interface: name, ...(netns && { netns }) };
  const dispatcher = readXdpDispatcher(place);
  if (dispatcher) {
    const programs = program === undefined ? {} : { programs: [program] };
    reportDispatched(output, { dispatcher, detached: detachXdpMulti({ ...place, ...programs }) });
    return;
  }
  const detached = detachXdp(name, { ...(netns && { netns }), ...(program !== undefined && { program }) });
  if (detached.length === 0) throw nothingThere(name, program);
  for (const { target, ifindex, mode, via, programId, linkId } of detached) {
    output.result(
      {
        type: 'detached',
        kind: 'xdp',
        target,
        ifindex,
        mode,
        via,
        program_id: programId,
        link_id: linkId ?? null,
      },
      `detached program ${programId} from ${target} (${mode} mode, was held by ${via})`,
    );
  }
}

function reportDispatched(
  output: Output,
  { dispatcher, detached }: { dispatcher: XdpDispatcher; detached: readonly DispatchedProgram[] },
): void {
  const { target, ifindex, mode } = dispatcher;
  for (const { id, name } of detached) {
    output.result(
      {
        type: 'detached',
        kind: 'xdp',
        program: name,
        target,
        ifindex,
        mode,
        via: 'dispatcher',
        program_id: id,
        link_id: null,
      },
      `detached ${name} (program ${id}) from ${target} (${mode} mode, was in a dispatcher)`,
    );
  }
}

function nothingThere(name: string, program: string | number | undefined): NotFoundError {
  const what = typeof program === 'number' ? `program ${program}` : program;
  return new NotFoundError(
    'PROGRAM_NOT_FOUND',
    name,
    what === undefined
      ? `Cannot detach from ${name}: no XDP program is attached there`
      : `Cannot detach ${what} from ${name}: it is not attached there`,
  );
}

function unloadDirectory(directory: string, output: Output): void {
  for (const { kind, path, linkId } of unpinDirectory(directory)) {
    output.result(
      { type: 'removed', kind, path, ...(linkId !== undefined && { link_id: linkId }) },
      linkId === undefined ? `removed ${kind} ${path}` : `detached and removed link ${linkId}, ${path}`,
    );
  }
}
