/** BPF tokens: a user namespace loads what the mount of its bpf file system delegates, and nothing without one. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
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

/** Loads the object with the options given as JSON, and says what came of it. */
const LOADER = `
  const { Collection, ObjectFile } = await import(process.argv[1]);
  try {
    const collection = Collection.load(ObjectFile.open(process.argv[2]), JSON.parse(process.argv[3]));
    const shared = [...collection.sharedMaps.values()].map(({ reused }) => reused);
    console.log(JSON.stringify({ programs: [...collection.programs.keys()], shared }));
    collection.close();
  } catch (error) {
    const { code, message, hint, name } = error;
    console.log(JSON.stringify({ name, code, message, hint, ...error.facts?.() }));
  }`;

interface Place {
  readonly delegates: 'all' | 'maps' | 'none';
  readonly at?: string;
  readonly environment?: Record<string, string>;
}

function loadInside({ delegates, at = mountPoint, environment = {} }: Place, options: object): unknown {
  const library = join(projectRoot, 'dist/index.js');
  const node = [
    process.execPath,
    '--input-type=module',
    '-e',
    LOADER,
    library,
    object,
    JSON.stringify(options),
  ];
  const { PATH = '' } = process.env;
  const text = execFileSync(delegate, [at, delegates, ...node], {
    encoding: 'utf8',
    env: { PATH, ...environment },
  });
  return JSON.parse(text);
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

t.test('with the token of a path', (t) => {
  t.same(loadInside({ delegates: 'all' }, { ...own, token: mountPoint }), loaded);
  const shared = { programs: ['count'], shared: [false, false, false, false] };
  t.same(loadInside({ delegates: 'all' }, { pinRoot: mountPoint, token: mountPoint }), shared);
  t.end();
});

t.test(
  'with the token of the path in the environment, or of /sys/fs/bpf, unless there shall be none',
  (t) => {
    const environment = { LIBBPF_BPF_TOKEN_PATH: mountPoint };
    t.same(loadInside({ delegates: 'all', environment }, own), loaded);
    t.same(loadInside({ delegates: 'all', environment }, { ...own, token: false }), withoutToken);
    t.same(loadInside({ delegates: 'all', at: '/sys/fs/bpf' }, own), loaded);
    t.same(loadInside({ delegates: 'all', at: '/sys/fs/bpf' }, { ...own, token: false }), withoutToken);
    const prevented = { LIBBPF_BPF_TOKEN_PATH: '' };
    t.same(loadInside({ delegates: 'all', at: '/sys/fs/bpf', environment: prevented }, own), withoutToken);
    t.end();
  },
);

t.test('without one, or with one that does not cover it, it is not permitted', (t) => {
  t.same(loadInside({ delegates: 'all' }, own), withoutToken);
  t.same(loadInside({ delegates: 'none', at: '/sys/fs/bpf' }, own), withoutToken);
  t.same(
    loadInside({ delegates: 'maps' }, { ...own, token: mountPoint }),
    refused('load program count', 'BPF_PROG_LOAD'),
  );
  t.end();
});

t.test('a path that gives no token', (t) => {
  t.same(loadInside({ delegates: 'none' }, { ...own, token: mountPoint }), {
    name: 'SyscallError',
    code: 'SYSCALL_FAILED',
    message: `Cannot create a BPF token from ${mountPoint}: the mount delegates nothing`,
    hint: 'mount it with delegate_cmds, delegate_maps and delegate_progs',
    call: 'bpf(BPF_TOKEN_CREATE)',
    errno: 2,
    errnoName: 'ENOENT',
  });
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
    t.same(loadInside({ delegates: 'all' }, { ...own, token: bpffs.path }), {
      name: 'PermissionError',
      code: 'PERMISSION_DENIED',
      message: `Cannot create a BPF token from ${bpffs.path}: it was mounted in another user namespace, or CAP_BPF is missing in this one`,
      call: 'bpf(BPF_TOKEN_CREATE)',
      errnoName: 'EPERM',
      missing: [],
    });
  } finally {
    bpffs.close();
  }
  t.end();
});
