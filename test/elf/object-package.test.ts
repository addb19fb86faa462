/** Objects in JSON packages, as eunomia's compiler writes them. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync, gzipSync } from 'node:zlib';
import t from 'tap';
import { isObjectPackage, ObjectFile, unpackObject } from '../../src/elf/index.ts';
import { runCli } from '../helpers/cli.ts';
import { inProject } from '../helpers/project-root.ts';

const OBJECT = inProject('bpf/monitor.bpf.o');
const elf = readFileSync(OBJECT);
const folder = mkdtempSync(join(tmpdir(), 'ts-xdp-package-'));
t.teardown(() => {
  rmSync(folder, { recursive: true });
});

/** The fields of a package, some of them replaced. */
function packageOf(fields: Record<string, unknown> = {}): Uint8Array {
  return Buffer.from(
    JSON.stringify({
      bpf_object: deflateSync(elf).toString('base64'),
      bpf_object_size: elf.length,
      meta: {
        bpf_skel: { data_sections: [], maps: [], obj_name: 'watch_bpf', progs: [], doc: null },
        eunomia_version: '0.3.4',
      },
      ...fields,
    }),
  );
}

const path = join(folder, 'package.json');
writeFileSync(path, packageOf());

const listed = (object: ObjectFile): unknown => [
  [...object.programs.keys()],
  [...object.maps.values()].map(({ name, type, maxEntries }) => [name, type, maxEntries]),
  [...object.variables.keys()],
];

t.test('it is the object that was packed', (t) => {
  t.ok(isObjectPackage(packageOf()));
  t.same(Buffer.compare(unpackObject(packageOf()).bytes, elf), 0);
  const packed = ObjectFile.open(path);
  t.equal(packed.name, 'watch_bpf');
  // The maps of global variables are called after the object.
  t.same(listed(packed), listed(ObjectFile.parse(elf, { name: 'watch_bpf' })));
  writeFileSync(join(folder, 'plain.json'), packageOf({ meta: {} }));
  t.equal(ObjectFile.open(join(folder, 'plain.json')).name, 'plain');
  t.end();
});

t.test('it is told by its contents', (t) => {
  t.ok(isObjectPackage(Buffer.from(' \r\n\t{"bpf_object":1}')));
  t.notOk(isObjectPackage(Buffer.from('{"name": "a manifest of npm"}')));
  t.notOk(isObjectPackage(elf));
  t.notOk(isObjectPackage(new Uint8Array()));
  const manifest = join(folder, 'manifest.json');
  writeFileSync(manifest, '{"name": "a manifest of npm"}');
  t.throws(() => ObjectFile.open(manifest), { code: 'ELF_NOT_ELF' });
  t.end();
});

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const bomb = base64(deflateSync(new Uint8Array(256 << 20)));
const refused: [name: string, fields: Record<string, unknown> | string, why: string][] = [
  ['cut short', '{"bpf_object": "', 'it is not JSON'],
  ['no text', { bpf_object: 7 }, 'its "bpf_object" is not base64'],
  ['other letters', { bpf_object: 'a-_=' }, 'its "bpf_object" is not base64'],
  ['nothing packed', { bpf_object: '' }, 'its "bpf_object" is not base64'],
  ['no size', { bpf_object_size: undefined }, 'its "bpf_object_size" is no size'],
  ['half a byte', { bpf_object_size: 1.5 }, 'its "bpf_object_size" is no size'],
  [
    'a smaller size',
    { bpf_object_size: elf.length - 1 },
    `it unpacks to more than the ${String(elf.length - 1)} bytes that "bpf_object_size" says`,
  ],
  [
    'a larger size',
    { bpf_object_size: elf.length + 1 },
    `it unpacks to ${String(elf.length)} bytes, and "bpf_object_size" says ${String(elf.length + 1)}`,
  ],
  [
    'a bomb',
    { bpf_object: bomb, bpf_object_size: 1000 },
    'it unpacks to more than the 1000 bytes that "bpf_object_size" says',
  ],
  [
    'a bomb that says so',
    { bpf_object: bomb, bpf_object_size: 256 << 20 },
    'it says that it unpacks to 268435456 bytes, and an object has at most 67108864',
  ],
  ['no compression', { bpf_object: base64(elf) }, 'its "bpf_object" is not what zlib compresses to'],
  ['gzip', { bpf_object: base64(gzipSync(elf)) }, 'its "bpf_object" is not what zlib compresses to'],
  [
    'compressed data cut short',
    { bpf_object: base64(deflateSync(elf).subarray(0, 999)) },
    'its "bpf_object" is not what zlib compresses to',
  ],
];

for (const [name, fields, why] of refused) {
  t.test(`refused: ${name}`, (t) => {
    const bytes = typeof fields === 'string' ? Buffer.from(fields) : packageOf(fields);
    t.ok(isObjectPackage(bytes));
    t.throws(() => unpackObject(bytes), {
      code: 'OBJECT_INVALID',
      message: `Cannot read the object package: ${why}`,
    });
    t.end();
  });
}

t.test('what is in it is checked as any object', (t) => {
  const file = join(folder, 'other.json');
  const text = Buffer.from('no object');
  writeFileSync(file, packageOf({ bpf_object: base64(deflateSync(text)), bpf_object_size: text.length }));
  t.throws(() => ObjectFile.open(file), { code: 'ELF_NOT_ELF' });
  t.end();
});

t.test('commands take it for an object', async (t) => {
  const json = async (...args: string[]): Promise<unknown> => {
    const { code, stdout } = await runCli([...args, '--json']);
    t.equal(code, 0, args.join(' '));
    return JSON.parse(stdout);
  };
  const { programs } = (await json('inspect', path)) as { programs: { name: string }[] };
  t.same(
    programs.map(({ name }) => name),
    ['capture_packet_data', 'capture_jumbo_packet_data'],
  );
  t.same(await json('btf', 'dump', 'file', path), await json('btf', 'dump', 'file', OBJECT));
  const disassembly = await Promise.all([path, OBJECT].map((file) => runCli(['disasm', file])));
  t.equal(disassembly[0]?.stdout, disassembly[1]?.stdout);
  const generated = await runCli(['gen', path]);
  t.equal(generated.code, 0);
  t.match(generated.stdout, 'packet_data');
  const bad = join(folder, 'bad.json');
  writeFileSync(bad, packageOf({ bpf_object_size: 3 }));
  const { code, lines } = await runCli(['inspect', bad, '--json']);
  t.equal(code, 1);
  t.match(lines[0], { error: { code: 'OBJECT_INVALID' } });
});
