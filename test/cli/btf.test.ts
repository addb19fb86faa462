/** Where `ts-xdp btf dump` finds types. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { dumpC } from '../../src/btf/index.ts';
import { readBtfSource } from '../../src/cli/btf/source.ts';
import { ObjectFile } from '../../src/elf/index.ts';
import { snifferObject } from '../helpers/sniffer-events.ts';

const folder = t.testdir({});

t.test('types come from an object, from a file of BTF and from the kernel', (t) => {
  const object = readBtfSource(snifferObject).btf;
  const raw = join(folder, 'types.btf');
  writeFileSync(raw, ObjectFile.open(snifferObject).btf?.bytes ?? '');
  t.equal(dumpC(readBtfSource(raw).btf), dumpC(object));
  t.match(
    dumpC(object, { roots: object.findAll('sniffer_stats') }),
    /^typedef .*\n\nstruct sniffer_stats \{\n/s,
  );
  if (existsSync('/sys/kernel/btf/vmlinux'))
    t.type(readBtfSource('kernel').btf.find('xdp_md', 'struct'), 'number');
  t.end();
});

t.test('what has no types is refused', (t) => {
  const text = join(folder, 'text');
  writeFileSync(text, 'int main(void) { return 0; }\n'.repeat(10));
  t.throws(() => readBtfSource(text), { message: 'Cannot read the object: it is not an ELF file' });
  const missing = join(folder, 'missing');
  t.throws(() => readBtfSource(missing), {
    code: 'FILE_NOT_FOUND',
    message: `Cannot open ${missing}: no such file`,
  });
  t.throws(() => readBtfSource(folder), { message: `Cannot open ${folder}: EISDIR` });
  t.throws(() => readBtfSource(join(text, 'x')), {
    code: 'FILE_NOT_FOUND',
    message: `Cannot open ${join(text, 'x')}: no such file`,
  });
  t.end();
});
