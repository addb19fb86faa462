/** `ts-xdp gen`: where it writes, what it compares, what it refuses. */
import { copyFileSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Cli, runCli } from '../helpers/cli.ts';
import { runHosted } from '../helpers/command-host.ts';
import { checkRefusal, type Refusal } from '../helpers/refusal.ts';
import { snifferObject } from '../helpers/sniffer-events.ts';

const folder = t.testdir({});
const object = join(folder, 'sniffer.bpf.o');
const module = join(folder, 'sniffer.ts');
copyFileSync(snifferObject, object);
const read = (path: string): string => readFileSync(path, 'utf8');

t.test('a module is written once, and again only when it would be another', async (t) => {
  const first = await runCli(['gen', 'sniffer.bpf.o', '-o', 'sniffer.ts'], { cwd: folder });
  t.same([first.code, first.stdout, first.stderr], [0, 'wrote sniffer.ts\n', '']);
  const { mtimeNs } = statSync(module, { bigint: true });
  const second = await runHosted(['gen', object, '-o', module, '--json']);
  t.same([second.code, second.lines], [0, [{ object, output: module, written: false }]]);
  t.equal(statSync(module, { bigint: true }).mtimeNs, mtimeNs, 'the file was not touched');
  const [printed, document] = await Promise.all([
    runCli(['gen', 'sniffer.bpf.o'], { cwd: folder }),
    runCli(['gen', 'sniffer.bpf.o', '--json'], { cwd: folder }),
  ]);
  t.same(document.lines, [{ module: printed.stdout }], 'without -o it is printed');
  t.equal(
    printed.stdout
      .replace('ts-xdp gen sniffer.bpf.o\n', 'ts-xdp gen sniffer.bpf.o -o sniffer.ts\n')
      .replace(
        "regenerate: 'ts-xdp gen sniffer.bpf.o',",
        "regenerate: 'ts-xdp gen sniffer.bpf.o -o sniffer.ts',",
      ),
    read(module),
  );
});

t.test('declarations go beside the object', async (t) => {
  const { code, stdout } = await runCli(['gen', '--declaration', 'sniffer.bpf.o'], { cwd: folder });
  t.same([code, stdout], [0, 'wrote sniffer.bpf.d.o.ts\n']);
  t.match(
    read(join(folder, 'sniffer.bpf.d.o.ts')),
    'export declare function load(options?: LoadOptions): Loaded;',
  );
  t.match(
    read(join(folder, 'sniffer.bpf.d.o.ts')),
    'in this folder: ts-xdp gen sniffer.bpf.o --declaration\n',
  );
  const check = await runCli(['gen', '--declaration', 'sniffer.bpf.o', '--check'], { cwd: folder });
  t.same([check.code, check.stdout], [0, 'sniffer.bpf.d.o.ts is up to date\n']);
});

t.test('--check tells a stale file and how to make it again', async (t) => {
  const args = ['gen', object, '-o', module, '--check'];
  const fresh = await runHosted([...args, '--json']);
  t.same([fresh.code, fresh.lines], [0, [{ object, output: module, fresh: true }]]);
  const text = read(module);
  const line = text.split('\n').findIndex((candidate) => candidate.includes('src_port: number;')) + 1;
  writeFileSync(module, text.replace('src_port: number;', 'src_port: string;'));
  await checkRefusal(t, {
    name: 'stale',
    args,
    exit: 1,
    error: {
      code: 'FILE_STALE',
      message: `Cannot vouch for ${module}: from line ${String(line)} on it is not what ${object} makes it`,
      hint: `generate it again: ts-xdp gen ${object} -o ${module}`,
      path: module,
      line,
    },
  });
  t.match(read(module), 'src_port: string;', 'nothing was written');
  writeFileSync(module, text);
  const missing = join(folder, 'missing.ts');
  await checkRefusal(t, {
    name: 'missing',
    args: ['gen', object, '-o', missing, '--check', '--embed'],
    exit: 1,
    error: {
      code: 'FILE_NOT_FOUND',
      message: `Cannot check ${missing}: no such file`,
      hint: `generate it again: ts-xdp gen ${object} --embed -o ${missing}`,
      path: missing,
    },
  });
});

const usage = (args: readonly string[], message: string): Refusal => ({
  name: message,
  args: ['gen', ...args],
  exit: 2,
  error: { code: 'USAGE', message },
});

const refusals: readonly Refusal[] = [
  usage([object, '--check'], '--check compares with a file: name it with -o'),
  usage([object, '--watch'], '--watch writes a file: name it with -o'),
  usage([object, '-o', module, '--check', '--watch'], '--check writes nothing, so it goes without --watch'),
  usage([object, '--declaration', '--embed'], '--embed goes without --declaration, which holds types only'),
  usage(['/etc/passwd', '--declaration'], '--declaration wants an object called NAME.o, not /etc/passwd'),
  {
    name: 'a folder that is not there',
    args: ['gen', object, '-o', join(folder, 'nowhere/sniffer.ts')],
    exit: 1,
    error: {
      code: 'FILE_UNREADABLE',
      message: `Cannot write ${join(folder, 'nowhere/sniffer.ts')}: ENOENT`,
      path: join(folder, 'nowhere/sniffer.ts'),
    },
  },
];

t.test('what it refuses', async (t) => {
  for (const row of refusals) await t.test(row.name, (t) => checkRefusal(t, row));
});

t.test('--watch follows the object until a signal', async (t) => {
  const watched = join(folder, 'watched.bpf.o');
  const output = join(folder, 'watched.ts');
  copyFileSync(snifferObject, watched);
  const cli = new Cli(['gen', watched, '-o', output, '--watch', '--json']);
  await cli.until(({ lines }) => lines.length === 1);
  t.same(cli.lines, [{ type: 'generated', object: watched, written: true }]);
  const text = read(output);
  // As compilers do it: another file takes the name.
  writeFileSync(`${watched}.new`, 'half an object'.repeat(20));
  renameSync(`${watched}.new`, watched);
  await cli.until(({ lines }) => lines.length === 2);
  t.match(cli.lines[1], { type: 'error', error: { code: 'ELF_NOT_ELF' } });
  t.equal(read(output), text, 'what was there stays');
  writeFileSync(output, 'somebody else was here');
  copyFileSync(snifferObject, `${watched}.new`);
  renameSync(`${watched}.new`, watched);
  await cli.until(({ lines }) => lines.length === 3);
  t.same(cli.lines[2], { type: 'generated', object: watched, written: true });
  t.equal(read(output), text);
  t.equal((await cli.stop()).code, 0);
});
