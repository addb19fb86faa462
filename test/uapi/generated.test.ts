import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { compileHeaders } from '../../scripts/generate-uapi/compile.ts';
import { modules } from '../../scripts/generate-uapi/modules.ts';
import { kernelVersion, printModules } from '../../scripts/generate-uapi/print-module.ts';
import type { StructType } from '../../src/binary/index.ts';
import * as uapi from '../../src/uapi/index.ts';
import { projectRoot as root } from '../helpers/project-root.ts';

const headerFolder = join(root, 'scripts/uapi-headers');
const generated = join(root, 'src/uapi');
/** What the files in the repository have been generated with. */
const CLANG = 14;

function clangVersion(): string {
  const { stdout } = spawnSync('clang', ['--version'], { encoding: 'utf8' });
  return /clang version (\d+)/.exec(stdout)?.[1] ?? 'none';
}

const skip =
  clangVersion() !== String(CLANG) && `generated with clang ${String(CLANG)}, and there is ${clangVersion()}`;
t.test('the files are what the generator makes of the pinned headers', { skip }, (t) => {
  const files = printModules(compileHeaders(headerFolder, modules), modules, kernelVersion(headerFolder));
  t.same(readdirSync(generated).sort(), [...files.keys()].sort());
  for (const [name, text] of files) t.equal(readFileSync(join(generated, name), 'utf8'), text, name);
  t.end();
});

type Descriptor = StructType<Record<string, unknown>>;

const constants = new Map<string, bigint>();
const structs = new Map<string, Descriptor>();
const enums = new Map<string, Readonly<Record<string, number>>>();
for (const [name, value] of Object.entries<unknown>(uapi)) {
  if (typeof value === 'number' || typeof value === 'bigint') constants.set(name, BigInt(value));
  else if (typeof value === 'function') enums.set(name, (value as () => Record<string, number>)());
  else structs.set(name, value as Descriptor);
}

t.test('enums that are listed are those of the constants', (t) => {
  t.same([...enums.keys()].sort(), ['enum_bpf_func_id', 'enum_bpf_map_type', 'enum_bpf_prog_type']);
  for (const members of enums.values())
    for (const [name, value] of Object.entries(members)) t.equal(BigInt(value), constants.get(name), name);
  const ofPrefix = (prefix: string): string[] =>
    [...constants.keys()].filter((name) => name.startsWith(prefix));
  t.same(Object.keys(enums.get('enum_bpf_func_id') ?? {}).sort(), ofPrefix('BPF_FUNC_').sort());
  t.end();
});

/** Integers that stand for bitfields, of which C cannot tell the offset. */
const BITFIELDS = ['bpf_insn.registers', 'bpf_prog_info.gpl_compatible', 'perf_event_attr.flags'];
const UNIONS = ['bpf_iter_link_info'];

/** Those of the anonymous structs of `union bpf_attr` begin where the union does. */
function typeInC(name: string): string {
  if (name.startsWith('bpf_attr_')) return 'union bpf_attr';
  return `${UNIONS.includes(name) ? 'union' : 'struct'} ${name}`;
}

/** One assertion for each constant, size and offset. */
function assertions(): string[] {
  const lines: string[] = [];
  const claim = (expression: string, value: bigint | number): void => {
    const expected = BigInt.asUintN(64, BigInt(value)).toString();
    lines.push(`_Static_assert((unsigned long long)(${expression}) == ${expected}ull, "");`);
  };
  for (const [name, value] of constants) claim(name, value);
  const header = readFileSync(join(headerFolder, 'linux/bpf.h'), 'utf8');
  const union = /^union bpf_attr {$[^]*?^}/m.exec(header)?.[0] ?? '';
  const named = new Set([...union.matchAll(/^\t} (\w+);$/gm)].map((match) => match[1]));
  for (const [name, { size, offsets }] of structs) {
    const member = name.replace('bpf_attr_', '');
    const prefix = name.startsWith('bpf_attr_') && named.has(member) ? member : '';
    if (prefix !== '') claim(`sizeof(((union bpf_attr *)0)->${prefix})`, size);
    else if (!name.startsWith('bpf_attr_')) claim(`sizeof(${typeInC(name)})`, size);
    for (const [field, offset] of Object.entries(offsets)) {
      if (BITFIELDS.includes(`${name}.${field}`)) continue;
      claim(`__builtin_offsetof(${typeInC(name)}, ${prefix && `${prefix}.`}${field})`, offset);
    }
  }
  return lines;
}

const hasGcc = spawnSync('gcc', ['--version']).status === 0;
t.test('gcc agrees with every constant, size and offset', { skip: !hasGcc && 'there is no gcc' }, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'ts-xdp-uapi-'));
  t.teardown(() => {
    rmSync(folder, { recursive: true });
  });
  const includes = modules.flatMap(({ headers }) => headers).map(({ path }) => `#include <${path}>\n`);
  const claims = assertions();
  t.ok(claims.length > 2500, `${String(claims.length)} assertions`);
  const source = join(folder, 'uapi.c');
  const check = (text: string[]): string => {
    writeFileSync(source, includes.join('') + text.join('\n'));
    return spawnSync('gcc', ['-fsyntax-only', '-isystem', headerFolder, source], { encoding: 'utf8' }).stderr;
  };
  t.equal(check(claims), '');
  const wrong = '_Static_assert((unsigned long long)(BPF_MAP_CREATE) == 1ull, "");';
  t.match(check([...claims, wrong]), /static assertion failed/, 'and would say so');
  t.end();
});

t.test('constants keep their sign, and are exact whatever their size', (t) => {
  t.equal(uapi.BPF_MAP_CREATE, 0);
  t.equal(uapi.TC_ACT_UNSPEC, -1);
  t.equal(uapi.TC_H_CLSACT, 0xfffffff1);
  t.equal(uapi.BPF_F_CTXLEN_MASK, 0xfffff * 2 ** 32);
  t.equal(uapi.PERF_EVENT_IOC_SET_BPF, 0x40042408);
  t.end();
});

t.test('a struct is read at the offsets of the kernel', (t) => {
  const bytes = uapi.bpf_attr_map_create.encode({
    map_type: 1,
    max_entries: 7,
    map_name: 'flows',
    map_extra: 2n ** 40n,
  });
  t.equal(
    Buffer.from(bytes)
      .toString('hex')
      .replace(/(00)+$/, ''),
    `01000000${'00'.repeat(8)}07000000${'00'.repeat(12)}666c6f7773${'00'.repeat(31)}000000000001`,
  );
  t.match(uapi.bpf_attr_map_create.decode(bytes), { map_type: 1, map_name: 'flows', map_extra: 2n ** 40n });
  t.end();
});
