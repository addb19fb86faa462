import { ArgumentError } from '../../errors.ts';
import type { ProgramSpec } from '../../elf/index.ts';
import { attachStructOps, type Link } from '../../link/index.ts';
import { MapType, type BpfMap } from '../../maps/index.ts';
import { attachKindOf, openTarget, type KnownSection } from './kinds.ts';
import { missing, type AttachOptions, type AttachSubject } from './request.ts';

/**
 * Attaches a program by what its section says and the options add. Undefined for what is attached in another way
 * (struct_ops, sockets, programs for tail calls and test runs, XDP in maps).
 */
export function attachBySection(subject: AttachSubject, options: AttachOptions): Link[] | undefined {
  const known = attachKindOf(subject.spec);
  if (!known) return undefined;
  const target = targetOf(subject, { options, known });
  return known.kind.attach({ ...subject, options, section: known.meaning.name, target });
}

/** Whether a section leaves open what the options do not say either. */
export function isLeftOpen(spec: ProgramSpec, { target }: AttachOptions): boolean {
  const known = attachKindOf(spec);
  return target === undefined && known !== undefined && openTarget(spec, known.kind) !== undefined;
}

/** What the section says comes first: the option is for those that leave it open. */
function targetOf(
  { program, spec, maps }: AttachSubject,
  { options, known }: { options: AttachOptions; known: KnownSection },
): string {
  const open = openTarget(spec, known.kind);
  if (!open) return spec.attachTarget ?? '';
  const { target } = options;
  const form = open.form(maps);
  if (target === undefined || target === '') {
    const inSection = known.meaning.pattern === 'prefix' && open.always !== true;
    throw missing(program, {
      argument: 'target',
      what: `${open.what}, since its section ${known.meaning.name} names none`,
      hint: `name it with the option "target": ${form}${inSection ? `, or in the section: SEC("${known.meaning.name}/${form}")` : ''}`,
    });
  }
  if (open.fits(target, maps)) return target;
  throw new ArgumentError(
    'target',
    `Cannot attach ${program.name} to ${target}: its section ${known.meaning.name} takes ${open.what}`,
    { hint: `write it as ${form}` },
  );
}

/** Puts every struct_ops map of a collection to work; all of them or none. */
export function attachStructOpsMaps(
  maps: ReadonlyMap<string, BpfMap>,
  valueOf: (map: string) => Uint8Array,
): Link[] {
  const links: Link[] = [];
  try {
    for (const [name, map] of maps) {
      if (map.type === MapType.StructOps) links.push(attachStructOps(map, { value: valueOf(name) }));
    }
    return links;
  } catch (error) {
    for (const done of links) done.close();
    throw error;
  }
}
