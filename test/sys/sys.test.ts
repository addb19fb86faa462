import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { ClosedError } from '../../src/errors.ts';
import {
  clockGettime,
  countCpuList,
  Fd,
  ioctl,
  NetworkNamespace,
  openBpf,
  openPin,
  pinDescriptor,
  readInfo,
  systemKernel,
  tryBpf,
} from '../../src/sys/index.ts';

import { RecordingKernel } from '../helpers/recording-kernel.ts';
import { thrown } from '../helpers/thrown.ts';
import * as uapi from '../../src/uapi/index.ts';

const { BPF_MAP_CREATE, BPF_PROG_LOAD, bpf_attr_map_create, bpf_attr_prog_load, bpf_map_info } = uapi;

const directory = mkdtempSync(join(tmpdir(), 'ts-xdp-sys-'));
t.teardown(() => {
  rmSync(directory, { recursive: true });
});

let pipes = 0;
/** Both ends of a pipe in one descriptor. */
function openPipe(): number {
  const path = join(directory, `pipe${String(pipes++)}`);
  execFileSync('mkfifo', [path]);
  return openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
}

t.test('a CPU list is counted', (t) => {
  t.equal(countCpuList('0-3\n'), 4);
  t.equal(countCpuList('0'), 1);
  t.equal(countCpuList('0-1,4,8-11\n'), 7);
  t.equal(countCpuList('\n'), 0);
  t.end();
});

t.test('the kernel tells page size and CPUs as getconf does', (t) => {
  const kernel = systemKernel();
  const getconf = (name: string): number => Number(execFileSync('getconf', [name], { encoding: 'utf8' }));
  t.equal(kernel.pageSize, getconf('PAGESIZE'));
  t.equal(kernel.onlineCpus(), getconf('_NPROCESSORS_ONLN'));
  t.ok(kernel.possibleCpus() >= kernel.onlineCpus());
  t.ok(kernel.onlineCpus() >= availableParallelism());
  t.equal(systemKernel(), kernel, 'there is one kernel');
  t.end();
});

t.test('an address honours the offset of a view', (t) => {
  const kernel = systemKernel();
  const bytes = new Uint8Array(64);
  t.equal(kernel.addressOf(bytes.subarray(24)) - kernel.addressOf(bytes), 24n);
  t.equal(kernel.addressOf(new Uint8Array(0)), 0n);
  t.end();
});

t.test('clocks run, and the monotonic one is that of Node', (t) => {
  const before = process.hrtime.bigint();
  const now = clockGettime('monotonic');
  const after = process.hrtime.bigint();
  t.ok(before <= now && now <= after);
  t.ok(Math.abs(Number(clockGettime('realtime') / 1_000_000n) - Date.now()) < 1000);
  t.ok(clockGettime('boottime') >= now);
  t.end();
});

t.test('what koffi would cut or crash on is refused before it', (t) => {
  const kernel = systemKernel();
  const fd = openPipe();
  const table: [string, () => unknown, string][] = [
    [
      'a descriptor above int',
      () => kernel.close(2 ** 40),
      'Cannot use 1099511627776 as fd: an integer from 0 to 2147483647 is needed',
    ],
    [
      'a negative descriptor',
      () => kernel.close(-1),
      'Cannot use -1 as fd: an integer from 0 to 2147483647 is needed',
    ],
    [
      'NaN',
      () => kernel.duplicate(NaN, 0),
      'Cannot use NaN as fd: an integer from 0 to 2147483647 is needed',
    ],
    [
      'a string for a descriptor',
      () => new Fd(kernel, '3' as unknown as number, 'x'),
      'Cannot use 3 as fd: an integer from 0 to 2147483647 is needed',
    ],
    [
      'an attribute that is no bytes',
      () => kernel.bpf(0, {} as Uint8Array),
      'Cannot use attribute: it is not a Uint8Array',
    ],
    [
      'an attribute that is null',
      () => kernel.bpf(0, null as unknown as Uint8Array),
      'Cannot use attribute: it is not a Uint8Array',
    ],
    [
      'the address of a number',
      () => kernel.addressOf(5 as unknown as Uint8Array),
      'Cannot use bytes: it is not a Uint8Array',
    ],
    [
      'a mapping of no length',
      () => kernel.mmap({ fd, length: 0, offset: 0, writable: false }),
      'Cannot use 0 as length: an integer from 1 to 9007199254740991 is needed',
    ],
    [
      'an ioctl argument that is too short',
      () => ioctl(fd, 0x8946, new Uint8Array(16)),
      'Cannot use argument: it has 16 bytes, and 40 are needed',
    ],
    [
      'an ioctl argument shorter than its number says',
      () => ioctl(fd, 0x8008_7601, new Uint8Array(4)),
      'Cannot use argument: it has 4 bytes, and 8 are needed',
    ],
    [
      'a namespace without a name',
      () => NetworkNamespace.open(''),
      'Cannot open network namespace "": this is no name',
    ],
  ];
  for (const [name, action, message] of table) {
    const error = thrown(action);
    t.equal(error.code, 'ARGUMENT_INVALID', name);
    t.equal(error.message, message, name);
  }
  closeSync(fd);
  t.end();
});

t.test('a regular file is not mapped, because it could shrink', (t) => {
  const fd = openSync(process.execPath, 'r');
  const error = thrown(() => systemKernel().mmap({ fd, length: 4096, offset: 0, writable: false }));
  t.equal(
    error.message,
    `Cannot map descriptor ${String(fd)}: it is a regular file, which may shrink under the mapping`,
  );
  closeSync(fd);
  const closed = thrown(() => systemKernel().mmap({ fd: 999_999, length: 4096, offset: 0, writable: false }));
  t.equal(closed.message, 'Cannot map descriptor 999999: fstat failed with EBADF (bad file descriptor)');
  t.end();
});

t.test('a descriptor has one owner', (t) => {
  const kernel = systemKernel();
  const fd = new Fd(kernel, openPipe(), 'test pipe');
  const other = kernel.duplicate(fd.value, 100);
  t.ok(other >= 100);
  t.equal(kernel.close(other), 0);
  t.equal(kernel.close(other), -9, 'a second close says EBADF');
  const order: string[] = [];
  fd.onClose(() => order.push(fd.closed ? 'late' : 'in time'));
  fd.onClose(() => order.push('taken back'))();
  fd.close();
  fd.close();
  fd[Symbol.dispose]();
  t.strictSame(order, ['in time'], 'hooks run once, before the descriptor closes');
  t.equal(fd.closed, true);
  t.throws(() => fd.value, new ClosedError('test pipe'));
  t.throws(() => fd.onClose(() => undefined), new ClosedError('test pipe'));
  const stolen = new Fd(kernel, openPipe(), 'stolen pipe');
  closeSync(stolen.value);
  t.equal(
    thrown(() => {
      stolen.close();
    }).message,
    'Cannot close stolen pipe: close failed with EBADF (bad file descriptor)',
  );
  const given = new Fd(kernel, openPipe(), 'given pipe');
  const number = given.release();
  t.equal(given.closed, true);
  t.equal(kernel.close(number), 0, 'a released descriptor is still open');
  t.end();
});

t.test('the attribute and the number of a command reach the kernel', (t) => {
  const kernel = new RecordingKernel();
  const fields = { map_type: 2, key_size: 4, value_size: 8, max_entries: 16 };
  const map = openBpf(kernel, {
    command: 'BPF_MAP_CREATE',
    attribute: bpf_attr_map_create,
    fields,
    doing: 'create map m',
    description: 'map m',
  });
  t.equal(kernel.calls.length, 1);
  t.equal(kernel.calls[0]!.command, BPF_MAP_CREATE);
  t.equal(kernel.calls[0]!.attribute.length, bpf_attr_map_create.size);
  t.match(bpf_attr_map_create.decode(kernel.calls[0]!.attribute), { ...fields, map_flags: 0 });
  map.close();
  t.equal(kernel.openDescriptors.size, 0);
  t.end();
});

t.test('a program load is tried five times on EAGAIN, other commands once', (t) => {
  let answers: number[] = [];
  const kernel = new RecordingKernel(() => answers.shift() ?? -11);
  const load = {
    command: 'BPF_PROG_LOAD',
    attribute: bpf_attr_prog_load,
    fields: {},
    doing: 'load p',
  } as const;
  t.equal(tryBpf(kernel, load), -11);
  t.equal(kernel.calls.length, 5);
  answers = [-11, -11, 7];
  t.equal(tryBpf(kernel, load), 7);
  t.equal(kernel.calls.length, 8);
  t.ok(kernel.calls.every((call) => call.command === BPF_PROG_LOAD));
  tryBpf(kernel, { ...load, command: 'BPF_PROG_TEST_RUN' });
  t.equal(kernel.calls.length, 9);
  t.end();
});

t.test('a descriptor that would read as "none" is moved away', (t) => {
  const kernel = new RecordingKernel(() => {
    kernel.openDescriptors.add(0);
    return 0;
  });
  const fd = openBpf(kernel, {
    command: 'BPF_MAP_CREATE',
    attribute: bpf_attr_map_create,
    fields: {},
    doing: 'create map m',
    description: 'map m',
  });
  t.ok(fd.value >= 3);
  t.strictSame([...kernel.openDescriptors], [fd.value]);
  fd.close();
  t.end();
});

t.test('info of another size than the descriptor is asked for with the size of the descriptor', (t) => {
  const kernel = new RecordingKernel((call) => (call.command === uapi.BPF_OBJ_GET_INFO_BY_FD ? 0 : -1));
  const fd = new Fd(kernel, kernel.newDescriptor(), 'map m');
  t.equal(readInfo(kernel, { fd, descriptor: bpf_map_info }).id, 0);
  t.equal(uapi.bpf_attr_info.decode(kernel.calls[0]!.attribute).info_len, bpf_map_info.size);
  t.equal(uapi.bpf_attr_info.decode(kernel.calls[0]!.attribute).bpf_fd, fd.value);
  fd.close();
  t.end();
});

t.test('pins go wrong with a name for it', (t) => {
  const answers = new Map([
    [uapi.BPF_OBJ_PIN, -17],
    [uapi.BPF_OBJ_GET, -2],
  ]);
  const kernel = new RecordingKernel((call) => answers.get(call.command) ?? 0);
  const fd = new Fd(kernel, kernel.newDescriptor(), 'map m');
  const taken = thrown(() => {
    pinDescriptor(kernel, { fd, path: '/sys/fs/bpf/m' });
  });
  t.equal(taken.code, 'PIN_EXISTS');
  t.equal(taken.message, 'Cannot pin to /sys/fs/bpf/m: something is pinned there already');
  answers.set(uapi.BPF_OBJ_PIN, -1);
  const elsewhere = thrown(() => {
    pinDescriptor(kernel, { fd, path: `${directory}/m` });
  });
  t.equal(elsewhere.message, `Cannot pin map m to ${directory}/m: ${directory} is not in a bpf file system`);
  answers.set(uapi.BPF_OBJ_PIN, -2);
  const nowhere = thrown(() => {
    pinDescriptor(kernel, { fd, path: '/no/m' });
  });
  t.equal(nowhere.message, 'Cannot pin map m to /no/m: /no does not exist');
  const absent = thrown(() => openPin(kernel, { path: '/sys/fs/bpf/m', what: 'map' }));
  t.equal(absent.code, 'PIN_NOT_FOUND');
  t.equal(absent.message, 'Cannot open pinned map /sys/fs/bpf/m: there is no such file');
  fd.close();
  t.end();
});
