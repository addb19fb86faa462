import { ObjectError } from '../errors.ts';
import { resolveType, type Btf } from '../btf/index.ts';
import type { ObjectFile } from '../elf/index.ts';
import { XDP_PASS } from '../uapi/index.ts';
import { actionBit } from './actions.ts';
import type { SlotSettings } from './configuration.ts';

const SECTION = '.xdp_run_config';
const DEFAULT_PRIORITY = 50;
const DEFAULT_ACTIONS = 1 << XDP_PASS;

/**
 * How a program of an object wants to take its turn: priority 50 and the next program after XDP_PASS, changed by what
 * the object says with `XDP_RUN_CONFIG(name)` of <xdp/xdp_helpers.h>. That is BTF alone, a struct `_name` whose members
 * are numbers as in definitions of maps.
 *
 * @throws NotFoundError (PROGRAM_NOT_FOUND), ObjectError for members of unknown meaning
 */
export function readRunConfig(object: ObjectFile, program: string): SlotSettings {
  const { frags } = object.program(program);
  let [priority, chainCallActions] = [DEFAULT_PRIORITY, DEFAULT_ACTIONS];
  for (const { name, value } of object.btf ? members(object.btf, program) : []) {
    const bit = actionBit(name);
    if (name === 'priority') priority = value;
    else if (bit === undefined) throw broken(program, `it has a member ${name} of unknown meaning`);
    else chainCallActions = value === 0 ? chainCallActions & ~bit : chainCallActions | bit;
  }
  return { priority, chainCallActions, frags };
}

function members(btf: Btf, program: string): { name: string; value: number }[] {
  const sectionId = btf.find(SECTION, 'datasec');
  const section = sectionId === undefined ? undefined : btf.type(sectionId);
  if (section?.kind !== 'datasec') return [];
  for (const { typeId } of section.variables) {
    const variable = btf.type(typeId);
    if (variable.kind !== 'variable' || variable.name !== `_${program}`) continue;
    const type = btf.type(resolveType(btf, variable.typeId));
    if (type.kind !== 'struct') throw broken(program, 'its type is not a struct');
    return type.members.map((member) => ({
      name: member.name,
      value: numberOf(btf, { program, name: member.name, typeId: member.typeId }),
    }));
  }
  return [];
}

/** `__uint(priority, 10)` is a pointer to an array of ten. */
function numberOf(btf: Btf, member: { program: string; name: string; typeId: number }): number {
  const pointer = btf.type(resolveType(btf, member.typeId));
  const target = pointer.kind === 'pointer' ? btf.type(resolveType(btf, pointer.typeId)) : undefined;
  if (target?.kind === 'array') return target.length;
  throw broken(member.program, `its ${member.name} is not written with __uint`);
}

function broken(program: string, why: string): ObjectError {
  return new ObjectError('OBJECT_INVALID', `Cannot read the run configuration of ${program}: ${why}`, {
    section: SECTION,
    program,
  });
}
