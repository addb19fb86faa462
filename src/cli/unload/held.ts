import { detachLink, holdersOf, openIfThere, releaseHolder, type Holder } from '../../inspect/index.ts';
import { systemKernel, type Fd, type Kernel } from '../../sys/index.ts';
import { ExitCode } from '../exit-code.ts';
import type { Json } from '../output/error-report.ts';
import type { Output } from '../output/output.ts';
import { holderDocument } from '../who/document.ts';
import { holderLines, holderName } from '../who/text.ts';
import type { Subject } from '../who/subjects.ts';

/**
 * Takes away what holds programs, maps or links, and says what is left, which makes the exit code 1. Processes are not ended.
 *
 * @throws PermissionError, NetlinkError, SyscallError, FileError
 */
export async function unloadHeld(subjects: readonly Subject[], output: Output): Promise<number> {
  const kernel = systemKernel();
  let exitCode: number = ExitCode.Done;
  for (const subject of subjects) {
    const { holders } = holdersOf(subject);
    const held = openIfThere(kernel, subject.kind, subject.id);
    if (held === undefined) continue;
    try {
      if (subject.kind === 'link' && detachLink(kernel, subject.id))
        output.result({ type: 'detached', kind: 'link', link_id: subject.id }, `detached link ${subject.id}`);
      const left = holders.flatMap((holder) => release(holder, { kernel, held, output }));
      if (left.length > 0) exitCode = ExitCode.Failed;
      reportLeft(subject, left, output);
    } finally {
      held.close();
    }
  }
  await output.flush();
  return exitCode;
}

interface Release {
  readonly kernel: Kernel;
  readonly held: Fd;
  readonly output: Output;
}

/** Takes away a hold, and those on a link; what is left of it. */
function release(holder: Holder, facts: Release): Holder[] {
  const { output } = facts;
  // What is there by a link goes with that.
  if ((holder.kind === 'xdp' || holder.kind === 'cgroup') && holder.linkId !== undefined) return [];
  const taken = releaseHolder(holder, facts);
  if (taken)
    output.result(
      lineDocument(holder),
      holder.kind === 'pin' ? `removed pin ${holder.path}` : `detached ${holderName(holder)}`,
    );
  if (holder.kind !== 'link') return taken ? [] : [holder];
  const holders = holder.holders.flatMap((inner) => release(inner, facts));
  return holders.length === 0 ? [] : [{ ...holder, holders }];
}

/** A line's `type` says what was done; that of a link or map becomes `link_type`, `map_type`. */
function lineDocument(holder: Holder): Record<string, Json> {
  const { type, ...facts } = holderDocument(holder);
  return {
    type: holder.kind === 'pin' ? 'removed' : 'detached',
    ...facts,
    ...(type !== undefined && { [`${holder.kind}_type`]: type }),
  };
}

function reportLeft({ kind, id }: Subject, left: readonly Holder[], output: Output): void {
  const text =
    left.length === 0
      ? `nothing holds ${kind} ${id} any more`
      : [`${kind} ${id} is still held by`, ...left.flatMap((holder) => holderLines(holder, '  '))].join('\n');
  output.result({ type: 'left', holders: left.map(holderDocument) }, text);
}
