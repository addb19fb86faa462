import { mkdirSync, mkdtempSync, rmSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import {
  callBpf,
  isOnFileSystem,
  mountKernelFileSystem,
  openBpf,
  openPin,
  pinDescriptor,
  raiseMemlockLimit,
  readInfo,
  systemKernel,
  unmount,
  watchReadable,
} from '../../src/sys/index.ts';
import type { Fd } from '../../src/sys/index.ts';
import {
  BPF_F_MMAPABLE,
  BPF_MAP_TYPE_ARRAY,
  BPF_MAP_TYPE_HASH,
  BPF_MAP_TYPE_RINGBUF,
  bpf_attr_map_create,
  bpf_attr_map_elem,
  bpf_map_info,
} from '../../src/uapi/index.ts';
import { openDescriptors } from '../helpers/open-descriptors.ts';
import { thrown } from '../helpers/thrown.ts';
import { until } from '../helpers/until.ts';

if (process.getuid?.() !== 0) {
  t.plan(0, 'needs root for bpf(2)');
  process.exit(0);
}

const kernel = systemKernel();

function createMap(name: string, fields: Partial<bpf_attr_map_create>): Fd {
  return openBpf(kernel, {
    command: 'BPF_MAP_CREATE',
    attribute: bpf_attr_map_create,
    fields: { map_name: name, ...fields },
    doing: `create map ${name}`,
    description: `map ${name}`,
  });
}

const createArray = (name: string): Fd =>
  createMap(name, {
    map_type: BPF_MAP_TYPE_ARRAY,
    key_size: 4,
    value_size: 8,
    max_entries: 512,
    map_flags: BPF_F_MMAPABLE,
  });

function lookup(map: Fd, index: number): bigint {
  const key = new Uint8Array(Uint32Array.of(index).buffer);
  const value = new Uint8Array(8);
  callBpf(kernel, {
    command: 'BPF_MAP_LOOKUP_ELEM',
    attribute: bpf_attr_map_elem,
    fields: { map_fd: map.value, key: kernel.addressOf(key), value: kernel.addressOf(value) },
    keep: [key, value],
    doing: `look up a key of ${map.description}`,
  });
  return new DataView(value.buffer).getBigUint64(0, true);
}

t.test('a mapped array is the same memory as its elements, until it is closed', (t) => {
  const before = openDescriptors();
  const map = createArray('mapped');
  const mapping = kernel.mmap({ fd: map.value, length: 4096, offset: 0, writable: true });
  const { buffer } = mapping;
  mapping.dataView.setBigUint64(8 * 7, 0x1234_5678_9abc_def0n, true);
  t.equal(lookup(map, 7), 0x1234_5678_9abc_def0n);
  mapping.close();
  mapping.close();
  t.equal(mapping.closed, true);
  t.equal(mapping.dataView.getBigUint64(8 * 7, true), 0n, 'a late read gives zero');
  new Uint8Array(buffer).fill(255);
  t.equal(lookup(map, 7), 0x1234_5678_9abc_def0n, 'a late write goes nowhere');
  map.close();
  t.strictSame(openDescriptors(), before);
  t.end();
});

t.test('a read-only mapping reads, and outlives its descriptor', (t) => {
  const map = createMap('ring', { map_type: BPF_MAP_TYPE_RINGBUF, max_entries: 4096 });
  const mapping = kernel.mmap({ fd: map.value, length: 3 * 4096, offset: 4096, writable: false });
  map.close();
  t.equal(mapping.length, 3 * 4096);
  t.equal(mapping.dataView.getBigUint64(0, true), 0n);
  mapping.close();
  t.equal(mapping.bytes[4096], 0);
  t.end();
});

t.test('a refused mapping says why', (t) => {
  const map = createMap('ring', { map_type: BPF_MAP_TYPE_RINGBUF, max_entries: 4096 });
  const fd = map.value;
  const table: [string, { length: number; offset: number; writable: boolean }, string][] = [
    [
      'longer than the ring',
      { length: 2 ** 30, offset: 4096, writable: false },
      `Cannot map 1073741824 bytes of descriptor ${String(fd)}: mmap failed with EINVAL (invalid argument)`,
    ],
    [
      'at no page',
      { length: 4096, offset: 100, writable: false },
      `Cannot map 4096 bytes of descriptor ${String(fd)}: mmap failed with EINVAL (invalid argument)`,
    ],
    [
      'writable, of the pages of the producer',
      { length: 4096, offset: 4096, writable: true },
      `Cannot map 4096 bytes of descriptor ${String(fd)}: mmap failed with EPERM (operation not permitted)`,
    ],
  ];
  for (const [name, request, message] of table) {
    t.equal(thrown(() => kernel.mmap({ fd, ...request })).message, message, name);
  }
  map.close();
  t.end();
});

t.test('a thousand mappings leave descriptors and memory where they were', (t) => {
  const cycle = (): void => {
    const map = createMap('ring', { map_type: BPF_MAP_TYPE_RINGBUF, max_entries: 65536 });
    const mapping = kernel.mmap({ fd: map.value, length: 4096 + 2 * 65536, offset: 4096, writable: false });
    // Every page is touched, as a reader would.
    for (let page = 0; page < mapping.length; page += 4096) mapping.dataView.getUint8(page);
    mapping.close();
    map.close();
  };
  for (let round = 0; round < 100; round++) cycle();
  const before = { open: openDescriptors(), resident: process.memoryUsage.rss() };
  for (let round = 0; round < 1000; round++) cycle();
  t.strictSame(openDescriptors(), before.open);
  const grown = process.memoryUsage.rss() - before.resident;
  t.ok(grown < 32 * 2 ** 20, `resident memory grew by ${String(grown)} bytes`);
  t.end();
});

t.test('the kernel tells what a map is', (t) => {
  const map = createArray('described');
  const info = readInfo(kernel, { fd: map, descriptor: bpf_map_info });
  t.match(info, {
    type: BPF_MAP_TYPE_ARRAY,
    key_size: 4,
    value_size: 8,
    max_entries: 512,
    name: 'described',
    map_flags: BPF_F_MMAPABLE,
  });
  t.ok(info.id > 0);
  map.close();
  t.end();
});

t.test('waiting for a map without a poll operation reports an error and pauses', async (t) => {
  const map = createMap('hash', { map_type: BPF_MAP_TYPE_HASH, key_size: 4, value_size: 4, max_entries: 1 });
  const errors: Error[] = [];
  const watch = watchReadable(map, {
    onReadable: () => t.fail('it is never readable'),
    onError: (error) => errors.push(error),
  });
  await until(() => errors.length > 0);
  await delay(20);
  t.equal(errors.length, 1);
  t.equal(errors[0]!.message, 'Cannot wait for map hash: poll failed with EBADF (bad file descriptor)');
  t.equal(watch.paused, true);
  watch.resume();
  await until(() => errors.length > 1);
  t.equal(errors.length, 2);
  map.close();
  t.equal(watch.closed, true);
});

t.test('pins', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'ts-xdp-bpffs-'));
  const mounted = join(directory, 'bpf');
  mkdirSync(mounted);
  t.equal(isOnFileSystem(mounted, 'bpf'), false);
  t.equal(isOnFileSystem(join(mounted, 'absent'), 'bpf'), false);
  mountKernelFileSystem('bpf', mounted);
  t.teardown(() => {
    unmount(mounted);
    rmdirSync(mounted);
    rmdirSync(directory);
  });
  t.equal(isOnFileSystem(mounted, 'bpf'), true);
  const map = createArray('pinned');
  const path = join(mounted, 'pinned');
  pinDescriptor(kernel, { fd: map, path });
  t.equal(
    thrown(() => {
      pinDescriptor(kernel, { fd: map, path });
    }).code,
    'PIN_EXISTS',
  );
  t.equal(
    thrown(() => {
      pinDescriptor(kernel, { fd: map, path: join(mounted, 'no', 'pin') });
    }).message,
    `Cannot pin map pinned to ${mounted}/no/pin: ${mounted}/no does not exist`,
  );
  t.equal(
    thrown(() => {
      pinDescriptor(kernel, { fd: map, path: join(directory, 'pin') });
    }).message,
    `Cannot pin map pinned to ${directory}/pin: ${directory} is not in a bpf file system`,
  );
  const again = openPin(kernel, { path, what: 'map' });
  t.equal(
    readInfo(kernel, { fd: again, descriptor: bpf_map_info }).id,
    readInfo(kernel, { fd: map, descriptor: bpf_map_info }).id,
  );
  again.close();
  map.close();
  const before = openDescriptors();
  t.equal(
    thrown(() => openPin(kernel, { path, what: 'link' })).message,
    `Cannot open pinned link ${path}: a map is pinned there`,
  );
  t.equal(
    thrown(() => openPin(kernel, { path: join(mounted, 'absent'), what: 'map' })).code,
    'PIN_NOT_FOUND',
  );
  t.equal(
    thrown(() => openPin(kernel, { path: process.execPath, what: 'map' })).message,
    `Cannot open pinned map ${process.execPath}: the file is not in a bpf file system`,
  );
  t.strictSame(openDescriptors(), before);
  rmSync(path);
  t.end();
});

t.test('the limit on locked memory is raised where that is allowed, and nothing is thrown where not', (t) => {
  t.type(raiseMemlockLimit(), 'boolean');
  t.end();
});
