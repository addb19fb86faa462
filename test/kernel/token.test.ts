/** BPF tokens: a user namespace loads what the mount of its bpf file system delegates, and nothing without one. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import { BpfToken } from '../../src/index.ts';
import { notRoot, projectRoot } from '../helpers/cli.ts';
import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import { BpfFileSystem } from '../helpers/kernel-objects.ts';
import { thrown } from '../helpers/thrown.ts';

const noCompiler = spawnSync('gcc', ['--version']).status === 0 ? false : 'gcc is not installed';
const missing = notRoot || whyNotCompile() || noCompiler;
if (missing !== false) {
  t.plan(0, missing);
  process.exit(0);
}

const compiler = new Compiler();
const object = compiler.fixture('shared');
const delegate = join(compiler.folder, 'delegate');
const source = join(projectRoot, 'test/fixtures/namespaces/delegate.c');
execFileSync('gcc', ['-Wall', '-Werror', '-o', delegate, source]);
const mountPoint = join(compiler.folder, 'bpffs');
mkdirSync(mountPoint);
t.teardown(() => {
  compiler.close();
});

/** Loads the object once for each of the attempts given as JSON, and says what came of them. */
const LOADER = `
  const { Collection, ObjectFile } = await import(process.argv[1]);
  const attempt = ({ options, environment }) => {
    Object.assign(process.env, environment);
    try {
      const collection = Collection.load(ObjectFile.open(process.argv[2]), options);
      const shared = [...collection.sharedMaps.values()].map(({ reused }) => reused);
      const outcome = { programs: [...collection.programs.keys()], shared };
      collection.close();
      return outcome;
    } catch (error) {
      const { code, message, hint, name } = error;
      return { name, code, message, hint, ...error.facts?.() };
    } finally {
      for (const name of Object.keys(environment)) delete process.env[name];
    }
  };
  console.log(JSON.stringify(JSON.parse(process.argv[3]).map(attempt)));`;

interface Place {
  readonly delegates: 'all' | 'maps' | 'none';
  readonly at?: string;
}

interface Attempt {
  readonly options: object;
  readonly environment?: Record<string, string>;
  readonly outcome: object;
}

/** In one process, which has a user namespace of its own. */
function checkInside(t: Test, { delegates, at = mountPoint }: Place, attempts: readonly Attempt[]): void {
  const asked = attempts.map(({ options, environment = {} }) => ({ options, environment }));
  const node = [process.execPath, '--input-type=module', '-e', LOADER];
  const text = execFileSync(
    delegate,
    [at, delegates, ...node, join(projectRoot, 'dist/index.js'), object, JSON.stringify(asked)],
    { encoding: 'utf8', env: { PATH: process.env['PATH'] ?? '' } },
  );
  t.same(
    JSON.parse(text),
    attempts.map(({ outcome }) => outcome),
  );
}

const own = { pinRoot: false };
const loaded = { programs: ['count'], shared: [] };
const hint =
  'The process is in a user namespace, whose capabilities do not count for BPF; run it outside, or with a BPF token (Linux 6.9).';
const refused = (doing: string, command: string): object => ({
  name: 'PermissionError',
  code: 'PERMISSION_DENIED',
  message: `Cannot ${doing}: bpf(${command}) failed with EPERM (operation not permitted)`,
  hint,
  call: `bpf(${command})`,
  errnoName: 'EPERM',
  missing: [],
});
const withoutToken = refused('load the BTF of shared', 'BPF_BTF_LOAD');

t.test('with a token: of a path, of the path in the environment, or of /sys/fs/bpf', (t) => {
  const environment = { LIBBPF_BPF_TOKEN_PATH: mountPoint };
  checkInside(t, { delegates: 'all' }, [
    { options: { ...own, token: mountPoint }, outcome: loaded },
    { options: own, environment, outcome: loaded },
    { options: { ...own, token: false }, environment, outcome: withoutToken },
    { options: own, outcome: withoutToken },
    {
      options: { pinRoot: mountPoint, token: mountPoint },
      outcome: { programs: ['count'], shared: [false, false, false, false] },
    },
  ]);
  checkInside(t, { delegates: 'all', at: '/sys/fs/bpf' }, [
    { options: own, outcome: loaded },
    { options: { ...own, token: false }, outcome: withoutToken },
    { options: own, environment: { LIBBPF_BPF_TOKEN_PATH: '' }, outcome: withoutToken },
  ]);
  t.end();
});

t.test('with one that does not cover it, it is not permitted', (t) => {
  checkInside(t, { delegates: 'none', at: '/sys/fs/bpf' }, [{ options: own, outcome: withoutToken }]);
  checkInside(t, { delegates: 'maps' }, [
    {
      options: { ...own, token: mountPoint },
      outcome: refused('load program count', 'BPF_PROG_LOAD'),
    },
  ]);
  t.end();
});

t.test('a path that gives no token', (t) => {
  const nothingDelegated = {
    name: 'SyscallError',
    code: 'SYSCALL_FAILED',
    message: `Cannot create a BPF token from ${mountPoint}: the mount delegates nothing`,
    hint: 'mount it with delegate_cmds, delegate_maps and delegate_progs',
    call: 'bpf(BPF_TOKEN_CREATE)',
    errno: 2,
    errnoName: 'ENOENT',
  };
  checkInside(t, { delegates: 'none' }, [
    { options: { ...own, token: mountPoint }, outcome: nothingDelegated },
  ]);
  const bpffs = new BpfFileSystem();
  try {
    const below = join(bpffs.path, 'below');
    mkdirSync(below);
    const rows: [path: string, code: string, why: string][] = [
      ['/no/such/place', 'FILE_NOT_FOUND', 'there is no such directory'],
      ['/tmp', 'FILE_UNREADABLE', 'it is not in a bpf file system'],
      [below, 'FILE_UNREADABLE', 'it is not the root of its bpf file system'],
      [
        bpffs.path,
        'SYSCALL_FAILED',
        'this is the first user namespace, where capabilities count and no token is needed',
      ],
    ];
    for (const [path, code, why] of rows) {
      t.match(
        thrown(() => BpfToken.create(path)),
        { code, message: `Cannot create a BPF token from ${path}: ${why}` },
      );
    }
    const foreign = {
      name: 'PermissionError',
      code: 'PERMISSION_DENIED',
      message: `Cannot create a BPF token from ${bpffs.path}: it was mounted in another user namespace, or CAP_BPF is missing in this one`,
      call: 'bpf(BPF_TOKEN_CREATE)',
      errnoName: 'EPERM',
      missing: [],
    };
    checkInside(t, { delegates: 'all' }, [{ options: { ...own, token: bpffs.path }, outcome: foreign }]);
  } finally {
    bpffs.close();
  }
  t.end();
});
