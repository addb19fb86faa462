/** docs/privileges.md, row by row: its capabilities suffice, and each that is taken away is named. */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import { BpfMap, Collection, ObjectFile } from '../../src/index.ts';
import { MapType } from '../../src/maps/index.ts';
import {
  missingCapabilities,
  raiseMemlockLimit,
  withNetworkNamespace,
  type Capability,
} from '../../src/sys/index.ts';
import { notRoot } from '../helpers/cli.ts';
import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import { makeCgroup } from '../helpers/control-group.ts';
import { addNetkitPair } from '../helpers/netkit.ts';
import { openDescriptors } from '../helpers/open-descriptors.ts';
import { patience } from '../helpers/patience.ts';
import {
  documentedPrivileges,
  privilegeCases,
  tryPrivilegeCase,
  type PrivilegePlace,
  type PrivilegeResult,
} from '../helpers/privilege-cases.ts';
import { needTracefs } from '../helpers/tracefs.ts';
import { VethPair } from '../helpers/veth.ts';

const OTHER_USER = '65534';
/** Above 2 distributions ask for more, each for its own. */
const PARANOID = '/proc/sys/kernel/perf_event_paranoid';
const script = join(import.meta.dirname, `../fixtures/processes/privileged${extname(import.meta.filename)}`);
const skip = notRoot || whyNotCompile();

if (skip !== false) {
  t.plan(0, skip);
  process.exit(0);
}

const documented = documentedPrivileges();

t.test('the page has a row for every case, and a case for every row', (t) => {
  t.same([...documented.keys()].sort(), [...new Set(privilegeCases.map(({ row }) => row))].sort());
  const names = privilegeCases.map(({ name }) => name);
  t.equal(new Set(names).size, names.length);
  t.end();
});

/** Who starts the cases: somebody else where he may read this checkout, otherwise root without the right to override. */
function asUser(): string[] {
  const other = [`--reuid=${OTHER_USER}`, `--regid=${OTHER_USER}`, '--clear-groups'];
  const readable = ['sh', '-c', '[ -r "$0" ] && [ -x "$1" ]', script, process.execPath];
  const { status } = spawnSync('setpriv', [...other, ...readable]);
  return status === 0 ? other : [];
}

const user = asUser();

/** Runs cases in a process with these capabilities and no more. */
function runWith(
  capabilities: readonly string[],
  { place, names, netns }: { place: PrivilegePlace; names: readonly string[]; netns: VethPair['netns'] },
): Map<string, PrivilegeResult> {
  const set = ['-all', ...capabilities.map((name) => `+${name.slice('CAP_'.length).toLowerCase()}`)].join(
    ',',
  );
  const sets = [`--inh-caps=${set}`, `--ambient-caps=${set}`, `--bounding-set=${set}`];
  const loaders = process.execArgv.filter((argument) => !/processinfo|mock/.test(argument));
  const command = [...user, ...sets, process.execPath, ...loaders, script, JSON.stringify(place), ...names];
  const { PATH = '' } = process.env;
  const { stdout, stderr, status } = withNetworkNamespace(netns, () =>
    spawnSync('setpriv', command, { encoding: 'utf8', env: { PATH } }),
  );
  if (status !== 0) throw new Error(`With ${set} it ended with ${String(status)}: ${stderr}`);
  return new Map((JSON.parse(stdout) as PrivilegeResult[]).map((result) => [result.name, result]));
}

/** Every set that a row has, and every such set without one of it; for what CAP_SYS_ADMIN stands in need not be tried. */
function neededSets(): string[][] {
  const sets = [...documented.values()].flatMap((row) => [
    row,
    ...row
      .map((one) => row.filter((other) => other !== one))
      .filter((less) => less.length === 0 || !less.includes('CAP_SYS_ADMIN')),
  ]);
  return [...new Set(sets.map((set) => [...set].sort().join()))].map((text) =>
    text === '' ? [] : text.split(','),
  );
}

function unprivilegedBpf(): boolean {
  return readFileSync('/proc/sys/kernel/unprivileged_bpf_disabled', 'latin1').trim() === '0';
}

function checkRow(
  t: Test,
  facts: {
    name: string;
    needed: readonly string[];
    set: readonly string[];
    result: PrivilegeResult | undefined;
  },
): void {
  const { name, needed, set, result } = facts;
  const missing = missingCapabilities(needed as Capability[], new Set(set as Capability[]));
  const label = `${name} with ${set.join(', ') || 'nothing'}`;
  if (missing.length === 0) {
    t.equal(result?.refusal, undefined, label);
    return;
  }
  // What it takes by the rules of files is not asked of their owner.
  if (missing.includes('CAP_DAC_READ_SEARCH') && user.length === 0) return;
  // What this took before the stable kernels of July 2025.
  if (name === 'uprobe' && missing.includes('CAP_SYS_ADMIN') && result?.refusal === undefined) {
    t.comment(`${label}: this kernel does not ask for CAP_SYS_ADMIN`);
    return;
  }
  t.match(result?.refusal, { code: 'PERMISSION_DENIED', missing }, label);
  t.match(result?.refusal?.message, new RegExp(`^Cannot .*: ${missing.join()} is missing`), label);
}

t.test(
  'the capabilities of each row suffice, and one that is missing is named',
  { timeout: 240_000 * patience },
  (t) => {
    if (unprivilegedBpf()) {
      t.comment('skipped: kernel.unprivileged_bpf_disabled is 0, so that some of it takes less');
      t.end();
      return;
    }
    // Before 5.11 maps are counted against it, and the processes inherit it.
    raiseMemlockLimit();
    const paranoid = readFileSync(PARANOID, 'latin1');
    if (Number(paranoid) > 2) writeFileSync(PARANOID, '2');
    const compiler = new Compiler();
    needTracefs();
    const cgroup = makeCgroup('privileges');
    const pair = VethPair.open();
    const objects = [compiler.fixture('privileges'), compiler.fixture('privileges-struct-ops')] as const;
    if (user.length > 0) spawnSync('chmod', ['-R', 'a+rX', compiler.folder]);
    const map = BpfMap.create({
      type: MapType.Array,
      keySize: 4,
      valueSize: 4,
      maxEntries: 1,
      name: 'other',
    });
    const other = Collection.load(ObjectFile.open(objects[0]), { programs: ['on_xdp'] });
    const before = openDescriptors();
    t.teardown(() => {
      other.close();
      map.close();
      pair.close();
      rmdirSync(cgroup);
      compiler.close();
    });
    const place: PrivilegePlace = {
      objects,
      interface: pair.receiver.name,
      netkit: addNetkitPair(pair.socket, ['txnk0', 'txnk1']) ? 'txnk0' : undefined,
      cgroup,
      programId: other.program('on_xdp').id,
      mapId: map.info().id,
    };
    const possible = privilegeCases.filter((one) => {
      const { refusal } = withNetworkNamespace(pair.netns, () => tryPrivilegeCase(one, place));
      if (refusal) t.comment(`${one.name}: not here, ${refusal.message}`);
      return refusal === undefined;
    });
    t.same(openDescriptors(), before, 'no descriptor is left');
    t.ok(possible.length > privilegeCases.length / 2, 'this kernel has most of it');
    for (const set of neededSets()) {
      const cases = possible.filter(({ row }) => {
        const needed = documented.get(row) ?? [];
        const missing = needed.filter((one) => !set.includes(one));
        return set.every((one) => needed.includes(one)) && missing.length <= 1;
      });
      const results = runWith(set, { place, names: cases.map(({ name }) => name), netns: pair.netns });
      for (const { name, row } of cases) {
        checkRow(t, { name, needed: documented.get(row) ?? [], set, result: results.get(name) });
      }
    }
    t.end();
  },
);
