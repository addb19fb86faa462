/** What V8 has compiled, kept between runs on Node 20: for the source that it was made of, and never twice where it ends the process. */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import nodeModule from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import t from 'tap';
import { projectRoot } from '../helpers/cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'ts-xdp-compiled-'));
const path = join(folder, `${basename(folder)}.cjs`);
const cached = join(
  projectRoot,
  'build/node_modules/.cache/compile',
  `${basename(path)}-${process.version}-${process.arch}`,
);
const mark = `${cached}-in-use`;
t.teardown(() => {
  for (const used of [folder, cached, mark]) rmSync(used, { recursive: true, force: true });
});

/** Prints what the module gives, keeps what was compiled, and goes on where it is told to. */
const host = `
  import { requireCompiled } from ${JSON.stringify(join(projectRoot, 'build/src/cli/compile-cache.js'))};
  const { exports, keep } = requireCompiled(${JSON.stringify(path)});
  process.stdout.write(String(exports.value()));
  keep();
  if (process.argv[1] === 'stay') setInterval(() => undefined, 1000);`;
// `env`, because the test runner gives every child a loader.
const command = ['-i', process.execPath, '--input-type=module', '-e', host];

function write(text: string): void {
  const hash = createHash('sha256').update(text).digest('hex');
  writeFileSync(path, `${text}\n// ${hash}`);
}

/** What one process gives for the module, or what ended it. */
function run(): string {
  const { stdout, status, signal } = spawnSync('env', command, { encoding: 'utf8' });
  return status === 0 ? stdout : `ended with ${signal ?? String(status)}`;
}

const inode = (): number => statSync(cached).ino;
const isMarked = (): boolean => lstatSync(mark, { throwIfNoEntry: false }) !== undefined;

if ('enableCompileCache' in nodeModule) {
  t.test('newer Node does it itself', (t) => {
    write('exports.value = () => 1;');
    t.equal(run(), '1');
    t.notOk(existsSync(cached));
    t.end();
  });
  t.end();
  process.exit();
}

t.test('what was compiled is kept between runs, and never used for another source', (t) => {
  write('exports.value = () => 1;');
  t.equal(run(), '1');
  const first = inode();
  t.equal(run(), '1');
  t.equal(inode(), first, 'V8 took what was kept');
  // V8 itself would take this for the same source, since it is as long.
  write('exports.value = () => 2;');
  t.equal(run(), '2');
  t.not(inode(), first, 'kept anew');
  writeFileSync(cached, readFileSync(cached).subarray(0, 100));
  t.equal(run(), '2', 'half of it is rejected');
  rmSync(cached);
  mkdirSync(cached);
  t.equal(run(), '2', 'where nothing can be kept, it runs all the same');
  rmSync(cached, { recursive: true });
  const left = readdirSync(dirname(cached)).filter((name) => name.startsWith(basename(cached)));
  t.same(left, [], 'and leaves nothing unfinished');
  t.end();
});

const functions = Array.from(
  { length: 200 },
  (_, index) => `function f${index}(a) { return { name: 'f${index}', sum: a.sum + ${index} }; }`,
);
const calls = functions.map((_, index) => `value = f${index}(value);`);
const large = `${functions.join('\n')}
exports.value = () => { let value = { sum: 0 }; ${calls.join(' ')} return value.sum; };`;
const SUM = String((199 * 200) / 2);

t.test('what a disk has damaged ends one process, and the next one makes it anew', (t) => {
  write(large);
  t.equal(run(), SUM);
  const whole = readFileSync(cached);
  let ended = 0;
  for (let place = 512; place + 512 < whole.length; place += Math.ceil(whole.length / 6)) {
    const damaged = Buffer.from(whole).fill(0, place, place + 512);
    writeFileSync(cached, damaged);
    if (!run().startsWith('ended with SIG')) continue;
    ended++;
    t.ok(isMarked(), `what died of zeros at ${place} says so`);
    t.equal(run(), SUM, 'the next one works');
    t.notOk(readFileSync(cached).equals(damaged), 'with what it keeps itself');
    t.notOk(isMarked());
  }
  t.ok(ended > 0, `${ended} processes were ended`);
  t.equal(run(), SUM);
  t.end();
});

t.test('it is kept whatever ends a process that has started', async (t) => {
  const before = inode();
  const child = spawn('env', [...command, 'stay'], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  while (isMarked()) await new Promise((resolve) => setTimeout(resolve, 1));
  child.kill('SIGKILL');
  await once(child, 'close');
  t.equal(run(), SUM);
  t.equal(inode(), before);
});

t.test('a process that starts at the same time does not count as dead', async (t) => {
  const before = inode();
  symlinkSync(String(process.pid), mark);
  t.equal(run(), SUM);
  t.equal(inode(), before, 'what is kept is used');
  t.ok(isMarked(), 'the mark of the other stays');
  rmSync(mark);

  const starting = Array.from({ length: 8 }, () =>
    spawn('env', command, { stdio: ['ignore', 'pipe', 'inherit'] }),
  );
  const sums = await Promise.all(
    starting.map(async (child) => {
      let text = '';
      child.stdout.setEncoding('utf8').on('data', (data: string) => (text += data));
      await once(child, 'close');
      return text;
    }),
  );
  t.same(sums, Array(8).fill(SUM));
  t.equal(inode(), before);
  t.notOk(isMarked());

  const time = statSync(cached).mtimeMs;
  const { pid } = spawnSync('true');
  symlinkSync(String(pid), mark);
  t.equal(run(), SUM);
  t.not(statSync(cached).mtimeMs, time, 'but one that is gone does');
  t.notOk(isMarked());
});
