import type { Link } from '../../link/index.ts';
import type { BpfProgram } from '../../programs/index.ts';
import type { Output } from '../output/output.ts';
import type { LoadedContext } from './context.ts';
import { attachAll, reportAttached } from './interfaces.ts';

/** Attaches the selected programs and says so; all of them or none. */
export async function attachPrograms(context: LoadedContext): Promise<Link[]> {
  const { collection, selection, options, targets, netns, output } = context;
  const links: Link[] = [];
  const reports: (() => void)[] = [];
  try {
    if (selection.xdp) {
      const program = collection.program(selection.xdp.name);
      const attachments = attachAll(program, { targets, options, netns });
      links.push(...attachments);
      for (const attachment of attachments) {
        reports.push(() => {
          reportAttached(output, { attachment, program });
        });
      }
    }
    if (selection.dispatched.length > 0) {
      // Late: most loads have no dispatcher.
      const { attachDispatched, reportDispatched } = await import('./dispatched.ts');
      const attachments = attachDispatched(context);
      links.push(...attachments);
      reports.push(() => {
        for (const attachment of attachments) reportDispatched(output, attachment);
      });
    }
    for (const { name } of selection.others) {
      const attached = collection.attach(name, {
        interfaces: targets.map(({ index }) => index),
        ...(options.cgroup !== undefined && { cgroup: options.cgroup }),
        ...(options.pid !== undefined && { pid: options.pid }),
        ...(options.target !== undefined && { target: options.target }),
        ...(netns && { netns }),
      });
      links.push(...attached);
      for (const link of attached)
        reports.push(reporter(output, { link, program: collection.program(name) }));
    }
    const structOps = selection.structOps ? collection.attachStructOps() : [];
    links.push(...structOps);
    for (const link of structOps) reports.push(reporter(output, { link, program: undefined }));
  } catch (error) {
    for (const link of links) link.close();
    throw error;
  }
  // Said once all are there, so that what is reported holds.
  for (const report of reports) report();
  return links;
}

function reporter(
  output: Output,
  { link, program }: { link: Link; program: BpfProgram | undefined },
): () => void {
  const { kind, target, via, id } = link;
  return () => {
    output.stream({
      json: () => ({
        type: 'attached',
        kind,
        program: program?.name ?? null,
        target,
        via,
        program_id: program?.id ?? null,
        link_id: id ?? null,
      }),
      text: () =>
        program
          ? `attached ${program.name} to ${target} (${kind}, program ${program.id})`
          : `attached ${target} (${kind})`,
    });
  };
}
