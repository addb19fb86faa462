import { attachXdpMulti, type DispatchedXdp } from '../../dispatcher/index.ts';
import type { Output } from '../output/output.ts';
import type { LoadedContext } from './context.ts';
import { refusedFacts } from './interfaces.ts';
import type { LoadCommandOptions } from './options.ts';
import { staysUntil, unloadInterface } from './remedy.ts';

export { loadForDispatcher } from '../../dispatcher/index.ts';

/** Puts the XDP programs into the dispatcher of every interface; all of them or none. */
export function attachDispatched(context: LoadedContext): DispatchedXdp[] {
  const { collection, selection, options, targets, netns } = context;
  const attached: DispatchedXdp[] = [];
  try {
    for (const { index } of targets) {
      attached.push(
        ...attachXdpMulti(collection, {
          interface: index,
          programs: selection.dispatched.map(({ name }) => name),
          ...(options.mode && { modes: options.mode }),
          ...(options.priority !== undefined && { priority: options.priority }),
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

export function reportDispatched(
  output: Output,
  { attachment, options }: { attachment: DispatchedXdp; options: LoadCommandOptions },
): void {
  const { target, ifindex, mode, via, program, programId, priority, chainCallActions, refusals } = attachment;
  output.stream({
    json: () => ({
      type: 'attached',
      kind: 'xdp',
      program,
      target,
      ifindex,
      mode,
      via,
      program_id: programId,
      link_id: null,
      priority,
      chain_call_actions: [...chainCallActions],
      ...(refusals.length > 0 && { refused: refusedFacts(refusals) }),
    }),
    text: () =>
      `attached ${program} to ${target} (${mode} mode, by a dispatcher with priority ${String(priority)}, program ${String(programId)})`,
  });
  const command = unloadInterface(target, { options, programId });
  output.note(`note: ${program} is attached by a dispatcher: ${staysUntil(command, options)}`);
}
