/** Functions and probes of programs and libraries, against nm and readelf, and what broken files do. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { ExecutableFile, findFunctions, readUsdtProbes, type ByteSource } from '../../src/elf/index.ts';
import { TsXdpError } from '../../src/errors.ts';
import { randomNumbers } from '../helpers/random-numbers.ts';
import { thrown } from '../helpers/thrown.ts';
import { inProject } from '../helpers/project-root.ts';

function sourceOf(name: string, bytes: Uint8Array): ByteSource {
  return { name, size: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length) };
}

const folder = mkdtempSync(join(tmpdir(), 'ts-xdp-executable-'));
t.teardown(() => {
  rmSync(folder, { recursive: true });
});
const lacking = ['clang', 'nm', 'readelf'].find((tool) => spawnSync(tool, ['--version']).status !== 0);
const skip = lacking === undefined ? false : `${lacking} is not installed`;
const path = join(folder, 'traced');
if (skip === false) {
  const source = inProject('test/fixtures/link/traced.c');
  execFileSync('clang', ['-O1', '-o', path, source]);
}

function nm(file: string, ...options: string[]): Map<string, number> {
  const lines = execFileSync('nm', ['--defined-only', ...options, file], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  return new Map(
    lines.split('\n').flatMap((line) => {
      const [, address, name] = /^([0-9a-f]+) [tT] (\S+)$/.exec(line) ?? [];
      return address === undefined || name === undefined
        ? []
        : [[name, Number.parseInt(address, 16)] as const];
    }),
  );
}

t.test('the functions of a program are those that nm tells', { skip }, (t) => {
  const file = new ExecutableFile(sourceOf(path, readFileSync(path)));
  const known = nm(path);
  const found = findFunctions(file, { test: (name) => known.has(name) });
  t.ok(
    found.some(({ name, local }) => name === 'traced_hidden' && local),
    'static ones too',
  );
  t.ok(found.some(({ name, local }) => name === 'traced_add' && !local));
  for (const { name, offset } of found) {
    const segment = file.segments.find(
      (one) => offset >= one.offset && offset < one.offset + one.memorySize && one.executable,
    );
    t.ok(segment, `${name} is in an executable segment`);
    if (segment) t.equal(offset - segment.offset + segment.address, known.get(name), name);
  }
  t.end();
});

t.test('of several versions of a function the default is found, and the one that is named', { skip }, (t) => {
  const libc = execFileSync('sh', ['-c', "ldd /bin/sh | sed -n 's/.*=> \\(.*libc\\.so\\S*\\) .*/\\1/p'"], {
    encoding: 'utf8',
  }).trim();
  const symbols = nm(libc, '-D', '--with-symbol-versions');
  const file = new ExecutableFile(sourceOf(libc, readFileSync(libc)));
  const versioned = [...symbols].filter(([name]) => /^[a-z_]+@/.test(name)).slice(0, 400);
  t.ok(versioned.length > 100, 'there are some');
  let compared = 0;
  for (const [full, address] of versioned) {
    const [name = '', version = ''] = full.split(/@@?/);
    const isDefault = full.includes('@@');
    const found = findFunctions(file, {
      test: (one) => one === name,
      version: isDefault ? undefined : version,
    });
    if (found.length === 0) continue;
    const addresses = found.map(({ offset }) => {
      const segment = file.segments.find(
        (one) => one.executable && offset >= one.offset && offset < one.offset + one.memorySize,
      );
      return segment ? offset - segment.offset + segment.address : -1;
    });
    if (!addresses.includes(address)) t.fail(`${full} is at ${address.toString(16)}`);
    compared++;
  }
  t.ok(compared > 100, `${String(compared)} functions of ${libc}`);
  t.end();
});

t.test('probes are those that readelf tells', { skip }, (t) => {
  const file = new ExecutableFile(sourceOf(path, readFileSync(path)));
  const text = execFileSync('readelf', ['-n', path], { encoding: 'utf8' });
  const [, location] = /Location: (0x[0-9a-f]+)/.exec(text) ?? [];
  const [, args] = /Arguments: (.*)/.exec(text) ?? [];
  const probes = readUsdtProbes(file);
  t.match(probes, [{ provider: 'traced', name: 'round', arguments: args, address: Number(location) }]);
  t.ok((probes[0]?.semaphoreOffset ?? 0) > 0);
  t.equal(probes.length, [...text.matchAll(/Provider: /g)].length);
  t.end();
});

t.test('what is no executable is refused with its name', (t) => {
  const header = new Uint8Array(64);
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  const with32 = header.slice();
  with32[4] = 1;
  const big = header.slice();
  big[5] = 2;
  const cases: [bytes: Uint8Array, message: string][] = [
    [new Uint8Array(3), 'Cannot read x: it is not an ELF file'],
    [new Uint8Array(64), 'Cannot read x: it is not an ELF file'],
    [with32, 'Cannot read x: it is not a 64-bit file'],
    [big, 'Cannot read x: it is not little-endian'],
    [header, 'Cannot read x: it is neither a program nor a shared library'],
  ];
  for (const [bytes, message] of cases) {
    t.equal(thrown(() => new ExecutableFile(sourceOf('x', bytes))).message, message);
  }
  t.end();
});

t.test('broken files give errors of ours, or nothing wrong', { skip }, (t) => {
  const whole = readFileSync(path);
  const random = randomNumbers(7);
  let refused = 0;
  for (let round = 0; round < 1500; round++) {
    const bytes = Uint8Array.from(round % 5 === 0 ? whole.subarray(0, random(whole.length)) : whole);
    // Headers, section headers and notes are where it matters.
    const start = round % 2 === 0 ? 0 : Math.max(0, bytes.length - 64 * 40);
    for (let change = 0; change < 3; change++) {
      const at = start + random(Math.max(1, Math.min(bytes.length - start, 64 * 40)));
      if (at < bytes.length) bytes[at] = random(256);
    }
    try {
      const file = new ExecutableFile(sourceOf('mutant', bytes));
      findFunctions(file, { test: () => true });
      readUsdtProbes(file);
    } catch (error) {
      if (!(error instanceof TsXdpError)) throw error;
      refused++;
    }
  }
  t.ok(refused > 100, `${String(refused)} were refused`);
  t.end();
});
