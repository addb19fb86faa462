/** An object's file, of which only what is looked at is read. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ObjectFile } from '../../src/elf/index.ts';
import { readObjectParts } from '../../src/elf/object-bytes.ts';
import type { TsXdpError } from '../../src/errors.ts';
import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import { inProject } from '../helpers/project-root.ts';

const missing = whyNotCompile();
if (missing !== false) {
  t.plan(0, missing);
  process.exit(0);
}

const compiler = new Compiler();
t.teardown(() => {
  compiler.close();
});

const objects: Record<string, string> = {
  calls: compiler.fixture('calls'),
  maps: compiler.fixture('maps'),
  'calls, big-endian': compiler.fixture('calls', { target: 'bpfeb', name: 'calls-be.bpf.o' }),
  sniffer: inProject('bpf/sniffer.bpf.o'),
};

function sectionLines(path: string): string[] {
  return execFileSync('llvm-readelf', ['-SW', path], { encoding: 'utf8' }).split('\n');
}

/** A section that clang -g writes for debuggers, linkers and libraries that relocate them. */
function isForDebuggers(line: string): boolean {
  return /\] \.(?:rel\.)?debug_|\] \.rel\.BTF|\.llvm_addrsig/.test(line);
}

for (const [name, path] of Object.entries(objects)) {
  t.test(`${name}: all of it is read but what is for debuggers`, (t) => {
    const [whole, parts] = [readFileSync(path), readObjectParts(path).bytes];
    t.equal(parts.length, whole.length);
    const ranges = sectionLines(path).flatMap((line) => {
      const [, offset, size] = /^ +\[ *\d+\].*? [0-9a-f]{16} ([0-9a-f]+) ([0-9a-f]+) /.exec(line) ?? [];
      if (offset === undefined || size === undefined || line.includes(' NOBITS ')) return [];
      return [{ line, start: parseInt(offset, 16), end: parseInt(offset, 16) + parseInt(size, 16) }];
    });
    // The sniffer is shipped without.
    t.equal(ranges.filter(({ line }) => isForDebuggers(line)).length > 5, name !== 'sniffer');
    const expected = Buffer.from(whole);
    for (const { line, start, end } of ranges) if (isForDebuggers(line)) expected.fill(0, start, end);
    for (const { line, start, end } of ranges) {
      t.ok(expected.subarray(start, end).equals(parts.subarray(start, end)), line.trim());
    }
    t.ok(expected.subarray(0, 64).equals(parts.subarray(0, 64)), 'the header');
    t.end();
  });
}

t.test('a file that is cut or damaged is refused alike, read in parts or as a whole', (t) => {
  const path = join(compiler.folder, 'damaged.bpf.o');
  const bytes = readFileSync(objects['calls'] as string);
  const table = Number(bytes.readBigUInt64LE(40));
  const outcome = (read: () => Uint8Array): unknown => {
    try {
      return ObjectFile.parse(read(), { name: 'damaged' }).programs.size;
    } catch (error) {
      const { code, message } = error as TsXdpError;
      return { code, message };
    }
  };
  const seen = new Set<string>();
  const same = (damaged: Uint8Array, what: string): void => {
    writeFileSync(path, damaged);
    const parts = outcome(() => readObjectParts(path).bytes);
    t.same(
      parts,
      outcome(() => damaged),
      what,
    );
    seen.add(JSON.stringify(parts));
  };
  for (const length of [0, 1, 63, 64, 200, table, table + 64, bytes.length - 1]) {
    same(bytes.subarray(0, length), `cut to ${String(length)}`);
  }
  const field = (offset: number, size: 2 | 4 | 8, value: bigint): void => {
    const damaged = Buffer.from(bytes);
    for (let byte = 0; byte < size; byte++)
      damaged[offset + byte] = Number((value >> BigInt(8 * byte)) & 0xffn);
    same(damaged, `${String(size)} bytes at ${String(offset)} are ${String(value)}`);
  };
  for (const [offset, size] of [
    [40, 8],
    [60, 2],
    [62, 2],
    [58, 2],
    [18, 2],
  ] as const) {
    for (const value of [0n, 1n, 0xffffn, 0xffffffffffffffffn]) field(offset, size, value);
  }
  const sections = bytes.readUInt16LE(60);
  for (let section = 0; section < sections; section++) {
    for (const at of [0, 24, 32]) field(table + section * 64 + at, 4, 0xfffffff0n);
  }
  t.ok(seen.size > 8, `${String(seen.size)} outcomes`);
  t.end();
});

t.test('what is no regular file is read as a whole', (t) => {
  const path = objects['maps'] as string;
  const module = JSON.stringify(new URL('../../src/elf/index.js', import.meta.url).href);
  const script = `import { ObjectFile } from ${module}; console.log(ObjectFile.open('/dev/stdin').maps.size)`;
  const command = 'cat "$1" | "$2" --input-type=module --eval "$3"';
  const piped = execFileSync('sh', ['-c', command, 'sh', path, process.execPath, script], {
    encoding: 'utf8',
  });
  t.equal(Number(piped), ObjectFile.open(path).maps.size);
  t.same(readObjectParts('/dev/null').bytes.length, 0);
  t.throws(() => readObjectParts('/'), { code: 'FILE_UNREADABLE' });
  t.throws(() => readObjectParts(`${path}.absent`), { code: 'FILE_NOT_FOUND' });
  t.end();
});
