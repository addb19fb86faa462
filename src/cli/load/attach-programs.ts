import type { Link } from '../../link/index.ts';
import type { LoadedContext } from './context.ts';
import { attachAll, reportAttached } from './interfaces.ts';
import { staysUntil } from './remedy.ts';

/** A program where it was attached; none for struct_ops maps. */
export interface AttachedProgram {
  readonly link: Link;
  readonly program: { readonly name: string; readonly id: number } | undefined;
}

/** Attaches the selected programs and says so; all of them or none. */
export async function attachPrograms(context: LoadedContext): Promise<AttachedProgram[]> {
  const { collection, selection, options, targets, netns, output } = context;
  const all: AttachedProgram[] = [];
  const reports: (() => void)[] = [];
  try {
    if (selection.xdp) {
      const program = collection.program(selection.xdp.name);
      const attachments = attachAll(program, { targets, options, netns });
      for (const attachment of attachments) {
        all.push({ link: attachment, program });
        reports.push(() => {
          reportAttached(output, { attachment, program, options });
        });
      }
    }
    if (selection.dispatched.length > 0) {
      // Late: most loads have no dispatcher.
      const { attachDispatched, reportDispatched } = await import('./dispatched.ts');
      const attachments = attachDispatched(context);
      for (const link of attachments) {
        all.push({ link, program: { name: link.program, id: link.programId } });
      }
      reports.push(() => {
        for (const attachment of attachments) reportDispatched(output, { attachment, options });
      });
    }
    for (const { spec, target } of selection.others) {
      const { name } = spec;
      const attached = collection.attach(name, {
        interfaces: targets.map(({ index }) => index),
        ...(options.cgroup !== undefined && { cgroup: options.cgroup }),
        ...(options.pid !== undefined && { pid: options.pid }),
        ...(target !== undefined && { target }),
        ...(options.via && { via: options.via }),
        ...(netns && { netns }),
      });
      const program = collection.program(name);
      for (const link of attached) {
        all.push({ link, program });
        reports.push(reporter(context, { link, program }));
      }
    }
    for (const link of selection.structOps ? collection.attachStructOps() : []) {
      all.push({ link, program: undefined });
      reports.push(reporter(context, { link, program: undefined }));
    }
  } catch (error) {
    for (const { link } of all) link.close();
    throw error;
  }
  // Said once all are there, so that what is reported holds.
  for (const report of reports) report();
  return all;
}

/** What JSON says of every attachment. */
export function attachmentFacts({ link, program }: AttachedProgram): Record<string, string | number | null> {
  const { kind, target, via, id } = link;
  return {
    kind,
    program: program?.name ?? null,
    target,
    via,
    program_id: program?.id ?? null,
    link_id: id ?? null,
  };
}

function reporter({ output, options }: LoadedContext, attached: AttachedProgram): () => void {
  const { link, program } = attached;
  const { kind, target, via } = link;
  return () => {
    output.stream({
      json: () => ({ type: 'attached', ...attachmentFacts(attached) }),
      text: () =>
        program
          ? `attached ${program.name} to ${target} (${kind}, program ${program.id})`
          : `attached ${target} (${kind})`,
    });
    if (program && via === 'netlink') {
      // By its id it is found in every network namespace.
      const stays = staysUntil(`ts-xdp unload prog ${program.id}`, options);
      output.note(`note: ${target} is attached by netlink: ${stays}`);
    }
  };
}
