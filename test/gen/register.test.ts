/** `import sniffer from './sniffer.bpf.o'` with the loader hook of the build. */
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { snifferObject } from '../helpers/sniffer-events.ts';

const folder = t.testdir({ 'broken.mjs': `import './broken.o';` });
// What a URL would take for something else is a name like any other.
writeFileSync(
  join(folder, 'main.mjs'),
  `import sniffer, { SimpleEvent } from './an%20object%231.bpf.o';
const view = new DataView(new ArrayBuffer(SimpleEvent.size));
SimpleEvent.write(view, 0, { src_port: 443, source_interface: 'eth0' });
const { src_port, source_interface, timestamp } = SimpleEvent.read(view, 0);
const object = sniffer.openObject();
console.log(JSON.stringify([object.name, [...object.programs.keys()][0], src_port, source_interface, String(timestamp)]));
`,
);
copyFileSync(snifferObject, join(folder, 'an object#1.bpf.o'));
writeFileSync(join(folder, 'broken.o'), 'no object at all, but long enough to be one'.repeat(4));
const environment = { cwd: folder, encoding: 'utf8', env: { PATH: process.env['PATH'] } } as const;

t.test('an object is a module', (t) => {
  const output = execFileSync(process.execPath, ['--import', 'ts-xdp/register', 'main.mjs'], environment);
  t.same(JSON.parse(output), ['an object#1', 'xdp_sniffer_enhanced', 443, 'eth0', '0']);
  t.end();
});

t.test('a file that is no object fails the import with our error', (t) => {
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--import', 'ts-xdp/register', 'broken.mjs'],
    environment,
  );
  t.equal(status, 1);
  t.match(stderr, 'Cannot read the object: it is not an ELF file');
  t.end();
});

t.test('without the hook Node does not know what to do with it', (t) => {
  const { status, stderr } = spawnSync(process.execPath, ['main.mjs'], environment);
  t.equal(status, 1);
  t.match(stderr, 'ERR_UNKNOWN_FILE_EXTENSION');
  t.end();
});
