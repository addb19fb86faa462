import { ArgumentError, ObjectError } from '../errors.ts';
import type { ObjectFile, ProgramSpec } from '../elf/index.ts';
import { BPF_PROG_TYPE_XDP, BPF_XDP } from '../uapi/index.ts';

/**
 * The XDP program of an object: the named one, or the only one. Programs of sections that begin with `?` take part
 * where there is no other, or by name.
 *
 * @throws NotFoundError (PROGRAM_NOT_FOUND); ObjectError: PROGRAM_NONE, PROGRAM_AMBIGUOUS with the names
 */
export function chooseXdpProgram(object: ObjectFile, name: string | undefined): ProgramSpec {
  if (name !== undefined) {
    const program = object.program(name);
    if (isXdp(program)) return program;
    throw new ObjectError(
      'PROGRAM_NONE',
      `Cannot attach ${name} to an interface: its section ${program.section} makes it no XDP program`,
      { program: name, section: program.section },
    );
  }
  const [only, ...others] = offeredXdpPrograms(object);
  if (only && others.length === 0) return only;
  const names = (only ? [only, ...others] : []).map((program) => program.name);
  if (names.length > 0) {
    throw new ObjectError(
      'PROGRAM_AMBIGUOUS',
      `Cannot choose a program: the object has ${names.length} XDP programs`,
      {
        programs: names,
        hint: `choose one with --prog: ${names.join(', ')}`,
      },
    );
  }
  const sections = [...object.programs.values()].map((program) => program.section);
  throw new ObjectError('PROGRAM_NONE', 'Cannot attach the object: it has no XDP program', {
    programs: [...object.programs.keys()],
    hint:
      sections.length > 0
        ? `its programs are of sections ${sections.join(', ')}`
        : 'it has no programs at all',
  });
}

/**
 * Those XDP programs that an interface can run. Programs of sections that begin with `?` take part where there is no
 * other.
 */
export function offeredXdpPrograms(object: ObjectFile): ProgramSpec[] {
  const all = [...object.programs.values()].filter(isXdp);
  const offered = all.filter((program) => program.autoload);
  return offered.length > 0 ? offered : all;
}

export function isXdp(program: ProgramSpec): boolean {
  // Programs for device maps and CPU maps run elsewhere than on an interface.
  return program.type === BPF_PROG_TYPE_XDP && (program.attachType === BPF_XDP || program.attachType === 0);
}

/** Kernel functions that only a program bound to a network device may call. */
const METADATA_FUNCTION = /^bpf_xdp_metadata_/;

/**
 * Binds a program that asks the driver for metadata to its interface.
 *
 * @throws ArgumentError where there are several: such a program can be attached to one only
 */
export function bindToDevice(
  program: ProgramSpec,
  targets: readonly { name: string; index: number }[],
): void {
  const asks = program.relocations.some(
    (relocation) => relocation.kind === 'extern' && METADATA_FUNCTION.test(relocation.symbol),
  );
  if (!asks) return;
  const [only, ...others] = targets;
  if (!only || others.length > 0) {
    throw new ArgumentError(
      'iface',
      `Cannot attach ${program.name} to ${targets.map(({ name }) => name).join(' and ')}: it asks the driver for metadata, so the kernel binds it to one interface`,
      { hint: 'run one ts-xdp load for each interface' },
    );
  }
  program.deviceBound = only.index;
}
