import { NotFoundError } from '../../errors.ts';
import { detachXdp } from '../../link/index.ts';
import { unpinDirectory } from '../../loader/index.ts';
import { NetworkNamespace } from '../../sys/index.ts';
import type { CommandInput } from '../command.ts';
import { ExitCode, UsageError } from '../exit-code.ts';
import type { Output } from '../output/output.ts';

interface UnloadOptions {
  readonly iface: readonly string[];
  readonly netns?: string;
}

/** `ts-xdp unload` */
export async function runUnload(input: CommandInput, output: Output): Promise<number> {
  const [directory] = input.arguments as [string | undefined];
  const options = input.options as unknown as UnloadOptions;
  if (directory === undefined && options.iface.length === 0) {
    throw new UsageError('unload needs an interface (--iface NAME) or a directory of pins');
  }
  if (directory !== undefined) unloadDirectory(directory, output);
  const netns = options.netns === undefined ? undefined : NetworkNamespace.open(options.netns);
  try {
    for (const name of options.iface) unloadInterface(name, { netns, output });
  } finally {
    netns?.close();
  }
  await output.flush();
  return ExitCode.Done;
}

function unloadInterface(
  name: string,
  { netns, output }: { netns: NetworkNamespace | undefined; output: Output },
): void {
  const detached = detachXdp(name, { ...(netns && { netns }) });
  if (detached.length === 0) {
    throw new NotFoundError(
      'PROGRAM_NOT_FOUND',
      name,
      `Cannot detach from ${name}: no XDP program is attached there`,
    );
  }
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

function unloadDirectory(directory: string, output: Output): void {
  for (const { kind, path, linkId } of unpinDirectory(directory)) {
    output.result(
      { type: 'removed', kind, path, ...(linkId !== undefined && { link_id: linkId }) },
      linkId === undefined ? `removed ${kind} ${path}` : `detached and removed link ${linkId}, ${path}`,
    );
  }
}
