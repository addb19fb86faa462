import Module from 'node:module';
import { execFileSync } from 'node:child_process';
import { extname } from 'node:path';

import t from 'tap';
import { PermissionError, SyscallError } from '../../src/errors.ts';
import {
  bpfError,
  callBpf,
  describeErrno,
  effectiveCapabilities,
  errnoName,
  missingCapabilities,
  permissionError,
  syscallError,
} from '../../src/sys/index.ts';
import type { Capability, Restrictions } from '../../src/sys/index.ts';
import { RecordingKernel } from '../helpers/recording-kernel.ts';
import { thrown } from '../helpers/thrown.ts';
import * as uapi from '../../src/uapi/index.ts';

const { bpf_attr_map_create } = uapi;

t.test('an errno has the name that the kernel gives it, and a text', (t) => {
  const table: [number, string, string][] = [
    [22, 'EINVAL', 'EINVAL (invalid argument)'],
    [-22, 'EINVAL', 'EINVAL (invalid argument)'],
    [11, 'EAGAIN', 'EAGAIN (resource temporarily unavailable)'],
    [95, 'EOPNOTSUPP', 'EOPNOTSUPP (operation not supported)'],
    [524, 'ENOTSUPP', 'ENOTSUPP (operation not supported by this kernel)'],
    [34, 'ERANGE', 'ERANGE (result too large)'],
    [126, 'ENOKEY', 'ENOKEY (required key not available)'],
    [4000, 'errno 4000', 'errno 4000'],
  ];
  for (const [number, name, text] of table) {
    t.equal(errnoName(number), name);
    t.equal(describeErrno(number), text);
  }
  t.end();
});

t.test('every errno of the uapi headers up to 40 has its name', (t) => {
  const wrong = Object.entries(uapi)
    .filter(([name, value]) => /^E[A-Z0-9]+$/.test(name) && typeof value === 'number' && value <= 40)
    .filter(
      ([name, value]) =>
        errnoName(value as number) !== name && name !== 'EWOULDBLOCK' && name !== 'EDEADLOCK',
    );
  t.strictSame(wrong, []);
  t.end();
});

t.test('a failed bpf call says what was done, which command failed and how', (t) => {
  const kernel = new RecordingKernel(() => -22);
  const error = thrown(() =>
    callBpf(kernel, {
      command: 'BPF_MAP_CREATE',
      attribute: bpf_attr_map_create,
      fields: {},
      doing: 'create map events',
    }),
  );
  t.ok(error instanceof SyscallError);
  t.equal(
    error.message,
    'Cannot create map events: bpf(BPF_MAP_CREATE) failed with EINVAL (invalid argument)',
  );
  t.strictSame(error.facts(), { call: 'bpf(BPF_MAP_CREATE)', errno: 22, errnoName: 'EINVAL' });
  const none = bpfError({ command: 'BPF_MAP_CREATE', doing: 'create map events' }, -38);
  t.equal(none.code, 'UNSUPPORTED_FEATURE');
  t.equal(none.message, 'Cannot create map events: this kernel is built without bpf(2)');
  t.end();
});

t.test('a refusal names what is missing, or else what is known to refuse', (t) => {
  const refusal = { call: 'bpf(BPF_PROG_LOAD)', errno: 1, doing: 'load program p', needed: [] };
  const free: Restrictions = { userNamespace: false, lockdown: 'none', unprivilegedBpfDisabled: 2 };
  const failed = 'Cannot load program p: bpf(BPF_PROG_LOAD) failed with EPERM (operation not permitted)';
  const table: [string, Capability[], Restrictions, string, string][] = [
    [
      'one capability',
      ['CAP_BPF'],
      free,
      'Cannot load program p: CAP_BPF is missing',
      'Run it as root, or give the process CAP_BPF.',
    ],
    [
      'two capabilities',
      ['CAP_BPF', 'CAP_NET_ADMIN'],
      { ...free, userNamespace: true },
      'Cannot load program p: CAP_BPF and CAP_NET_ADMIN are missing',
      'Run it as root, or give the process CAP_BPF and CAP_NET_ADMIN.',
    ],
    [
      'a user namespace',
      [],
      { ...free, userNamespace: true },
      failed,
      'The process is in a user namespace, whose capabilities do not count for BPF; run it outside, or with a BPF token (Linux 6.9).',
    ],
    [
      'lockdown',
      [],
      { ...free, lockdown: 'integrity' },
      failed,
      'No capability is missing; the kernel is locked down (integrity), which refuses some programs and helpers even to root.',
    ],
    [
      'nothing known',
      [],
      free,
      failed,
      'No capability is missing; a security module, seccomp or a setting of the kernel refuses it.',
    ],
  ];
  for (const [name, missing, restrictions, message, hint] of table) {
    const error = permissionError(refusal, { missing, restrictions });
    t.ok(error instanceof PermissionError, name);
    t.equal(error.message, message, name);
    t.equal(error.hint, hint, name);
    t.strictSame(error.facts().missing, missing, name);
  }
  t.equal(
    syscallError({ call: 'socket', errno: 1, doing: 'open x', missing: ['CAP_NET_RAW'] }).message,
    'Cannot open x: CAP_NET_RAW is missing',
  );
  t.end();
});

t.test('a frozen map is not taken for a missing capability', (t) => {
  const error = bpfError({ command: 'BPF_MAP_UPDATE_ELEM', doing: 'set a key of map m', needed: [] }, -1);
  t.equal(
    error.message,
    'Cannot set a key of map m: bpf(BPF_MAP_UPDATE_ELEM) failed with EPERM (operation not permitted)',
  );
  t.equal(error.hint, 'The map is frozen, or was made or opened without that access.');
  t.end();
});

t.test('capabilities are those of the status file, under the names of the header', (t) => {
  const status = execFileSync('grep', ['CapEff', '/proc/self/status'], { encoding: 'utf8' });
  const mask = BigInt(`0x${/[0-9a-f]{8,}/.exec(status)![0]}`);
  const constants = new Map(
    Object.entries(uapi).filter(([name, value]) => name.startsWith('CAP_') && typeof value === 'number'),
  );
  const effective = effectiveCapabilities();
  for (const name of effective) t.equal((mask >> BigInt(constants.get(name) as number)) & 1n, 1n, name);
  t.equal(effective.size, mask.toString(2).replaceAll('0', '').length);
  const wanted: Capability[] = ['CAP_BPF', 'CAP_NET_ADMIN', 'CAP_NET_RAW'];
  t.strictSame(missingCapabilities(wanted, new Set(['CAP_BPF'])), ['CAP_NET_ADMIN', 'CAP_NET_RAW']);
  t.strictSame(
    missingCapabilities(wanted, new Set(['CAP_SYS_ADMIN'])),
    ['CAP_NET_RAW'],
    'CAP_SYS_ADMIN stands in for BPF',
  );
  t.strictSame(missingCapabilities(wanted, new Set(wanted)), []);
  t.end();
});

t.test('without the native part of koffi the error says so', async (t) => {
  // A copy of its own: the one that other tests share has koffi already.
  const copy = `../../src/sys/libc${extname(import.meta.filename)}?copy`;
  const { foreign } = (await import(copy)) as { foreign: () => unknown };
  const loader = Module as unknown as { _load: (request: string, ...rest: unknown[]) => unknown };
  const load = loader._load;
  loader._load = (request, ...rest) => {
    if (request === 'koffi')
      throw new Error('Cannot find the native Koffi module; did you bundle it correctly?');
    return load.call(loader, request, ...rest);
  };
  t.teardown(() => {
    loader._load = load;
  });
  const error = thrown(foreign);
  t.equal(error.message, 'Cannot call the kernel: the native part of koffi is not installed');
  t.equal(
    error.hint,
    'Install again without --omit=optional; koffi has prebuilt packages for Linux on x64 and arm64.',
  );
});
