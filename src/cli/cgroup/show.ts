import {
  inspectCgroup,
  inspectCgroupTree,
  openIfThere,
  readBtfById,
  readProgramFacts,
  type CgroupHooks,
  type CgroupProgram,
} from '../../inspect/index.ts';
import { findCgroupMount } from '../../link/index.ts';
import { systemKernel, type Kernel } from '../../sys/index.ts';
import { BPF_F_ALLOW_MULTI, BPF_F_ALLOW_OVERRIDE } from '../../uapi/index.ts';
import { ExitCode } from '../exit-code.ts';
import type { Json } from '../output/error-report.ts';
import type { Output } from '../output/output.ts';
import { Words } from '../words.ts';

const COLUMNS = [9, 31, 12] as const;

/** Lists the programs of a cgroup; with `effective` also those from above that run there. */
export async function runCgroupShow(given: readonly string[], output: Output): Promise<number> {
  const words = new Words(given, 'cgroup show');
  const path = words.take('a cgroup');
  const effective = words.takeIf('effective');
  words.end();
  const kernel = systemKernel();
  const { programs } = inspectCgroup(kernel, path, { effective });
  const rows = programs.map((program) => describe(kernel, program, { effective }));
  output.result(rows, rows.length === 0 ? '' : [heading(), ...rows.map((row) => rowText(row))].join('\n'));
  await output.flush();
  return ExitCode.Done;
}

/** Lists every cgroup that has programs, from one downwards or from the root. */
export async function runCgroupTree(given: readonly string[], output: Output): Promise<number> {
  const words = new Words(given, 'cgroup tree');
  const root = words.empty ? findCgroupMount() : words.take('a cgroup');
  const effective = words.takeIf('effective');
  words.end();
  const kernel = systemKernel();
  const tree = inspectCgroupTree(kernel, root, { effective }).map((hooks) => ({
    directory: hooks.directory,
    rows: rowsOf(kernel, hooks, { effective }),
  }));
  const text = tree.flatMap(({ directory, rows }) => [
    directory,
    ...rows.map((row) => `    ${rowText(row)}`),
  ]);
  output.result(
    tree.map(({ directory, rows }) => ({ cgroup: directory, programs: rows })),
    ['CgroupPath', heading(), ...text].join('\n'),
  );
  await output.flush();
  return ExitCode.Done;
}

function rowsOf(kernel: Kernel, { programs }: CgroupHooks, options: { effective: boolean }): Row[] {
  return programs.map((program) => describe(kernel, program, options));
}

type Row = Record<string, Json>;

/** As bpftool, in its order; effective programs have flags of their own places, which are not told. */
function describe(
  kernel: Kernel,
  { programId, attachType, attachFlags }: CgroupProgram,
  { effective }: { effective: boolean },
): Row {
  using fd = openIfThere(kernel, 'program', programId);
  const facts = fd && readProgramFacts(kernel, fd);
  return {
    id: programId,
    attach_type: attachType,
    ...(!effective && { attach_flags: flagsText(attachFlags) }),
    name: facts?.name ?? '',
    ...lsmHook(kernel, facts ?? { attachBtfObjectId: 0, attachBtfId: 0 }),
  };
}

function flagsText(flags: number): string {
  if (flags === BPF_F_ALLOW_MULTI) return 'multi';
  if (flags === BPF_F_ALLOW_OVERRIDE) return 'override';
  return flags === 0 ? '' : `unknown(${flags.toString(16)})`;
}

function lsmHook(
  kernel: Kernel,
  { attachBtfObjectId, attachBtfId }: { attachBtfObjectId: number; attachBtfId: number },
): Row {
  const name = attachBtfId === 0 ? '' : readBtfById(kernel, attachBtfObjectId).nameOf(attachBtfId);
  return { attach_btf_name: name, attach_btf_obj_id: attachBtfObjectId, attach_btf_id: attachBtfId };
}

function heading(): string {
  return line(['ID', 'AttachType', 'AttachFlags'], 'Name');
}

function rowText(row: Row): string {
  const cells = [row['id'], row['attach_type'], row['attach_flags'] ?? ''];
  return line(cells.map(String), [row['name'], row['attach_btf_name'] ?? ''].map(String).join(' ').trimEnd());
}

function line(cells: readonly string[], last: string): string {
  return `${cells.map((cell, index) => cell.padEnd(COLUMNS[index] ?? 0)).join('')}${last}`.trimEnd();
}
