/** The reader on memory that the test itself plays the kernel's part in: states that no kernel can be held in. */
import t from 'tap';
import { BpfMap } from '../../src/maps/index.ts';
import { RingBuffer, RingBufferRecord } from '../../src/ringbuf/index.ts';
import type { MemoryMapping, MmapRequest } from '../../src/sys/index.ts';
import { BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_RINGBUF } from '../../src/uapi/index.ts';
import { RecordingKernel } from '../helpers/recording-kernel.ts';
import { thrown } from '../helpers/thrown.ts';

const SIZE = 4096;
const BUSY = 2 ** 31;
const DISCARD = 2 ** 30;

/** A ring that starts at any position, with a producer that leaves records as the kernel does. */
class FakeRing extends RecordingKernel {
  readonly map: BpfMap;
  readonly #start: bigint;
  #produced: bigint;
  #consumer: BigUint64Array | undefined;
  #producer: BigUint64Array | undefined;
  #data: DataView | undefined;

  constructor(start = 0n) {
    super();
    this.#start = start;
    this.#produced = start;
    this.map = BpfMap.create(
      { type: BPF_MAP_TYPE_RINGBUF, keySize: 0, valueSize: 0, maxEntries: SIZE, name: 'fake' },
      { kernel: this },
    );
  }

  override mmap(request: MmapRequest): MemoryMapping {
    const mapping = super.mmap(request);
    if (request.writable) {
      t.same(request, { fd: this.map.fd.value, length: 4096, offset: 0, writable: true });
      this.#consumer = new BigUint64Array(mapping.buffer, 0, 1);
      this.#consumer[0] = this.#start;
    } else {
      t.same(request, { fd: this.map.fd.value, length: 4096 + 2 * SIZE, offset: 4096, writable: false });
      this.#producer = new BigUint64Array(mapping.buffer, 0, 1);
      this.#producer[0] = this.#start;
      this.#data = new DataView(mapping.buffer, 4096);
    }
    return mapping;
  }

  get consumed(): bigint {
    return (this.#consumer?.[0] ?? 0n) - this.#start;
  }

  /** Leaves a record and returns its header's place, so that its flags can be changed. */
  produce(bytes: Uint8Array, flags = 0): number {
    const at = Number(this.#produced % BigInt(SIZE));
    this.#both(at, (data, offset) => {
      bytes.forEach((byte, index) => {
        // The pages are there twice; what runs over the end of the second begins the first again.
        data.setUint8((offset + 8 + index) % (2 * SIZE), byte);
      });
    });
    this.flag(at, bytes.length + flags);
    this.#produced += BigInt(Math.ceil((bytes.length + 8) / 8) * 8);
    this.#producer?.set([this.#produced]);
    return at;
  }

  flag(at: number, header: number): void {
    this.#both(at, (data, offset) => {
      data.setUint32(offset, header >>> 0, true);
    });
  }

  #both(at: number, write: (data: DataView, offset: number) => void): void {
    if (!this.#data) return;
    write(this.#data, at);
    write(this.#data, at + SIZE);
  }
}

const text = (record: Uint8Array): string => Buffer.from(record).toString();
const bytes = (record: string): Uint8Array => Buffer.from(record);

for (const start of [0n, 4088n, 2n ** 31n - 8n, 2n ** 32n - 16n, 2n ** 32n - 4096n, 2n ** 40n + 8n]) {
  t.test(`a ring whose positions begin at ${start}`, (t) => {
    const fake = new FakeRing(start);
    const ring = RingBuffer.bytes(fake.map);
    const seen: string[] = [];
    const expected: string[] = [];
    t.equal(ring.pending, 0);
    let size = 0n;
    for (let round = 0; round < 300; round++) {
      for (let count = round % 4; count >= 0; count--) {
        const record = `${round}-${count}-`.padEnd((round * 7) % 300, 'x');
        fake.produce(bytes(record));
        expected.push(record);
        size += BigInt(Math.ceil((record.length + 8) / 8) * 8);
      }
      t.equal(ring.pending > 0, true);
      ring.drain((record) => seen.push(text(record)));
      if (fake.consumed !== size) t.equal(fake.consumed, size);
    }
    t.same(seen, expected);
    t.equal(ring.pending, 0);
    ring.close();
    t.equal(fake.openMappings.size, 0);
    t.end();
  });
}

t.test('records that are being written, and discarded ones', (t) => {
  const fake = new FakeRing();
  const ring = RingBuffer.bytes(fake.map);
  const drain = (): string[] => {
    const seen: string[] = [];
    ring.drain((record) => seen.push(text(record)));
    return seen;
  };
  fake.produce(bytes('first'));
  const busy = fake.produce(bytes('second'), BUSY);
  fake.produce(bytes('third'));
  t.same(drain(), ['first'], 'nothing behind a record that is being written');
  t.equal(fake.consumed, 16n);
  t.equal(ring.pending, 32);
  t.same(drain(), []);
  fake.flag(busy, 6 + BUSY + DISCARD);
  t.same(drain(), [], 'busy counts more than discarded');
  fake.flag(busy, 6 + DISCARD);
  t.same(drain(), ['third'], 'a discarded one is passed over');
  t.equal(fake.consumed, 48n);
  for (let count = 0; count < 5; count++) fake.produce(bytes('gone'), DISCARD);
  t.equal(
    ring.drain(() => t.fail('a discarded record was shown')),
    0,
  );
  t.equal(fake.consumed, 48n + 80n, 'the room of discarded records is given back');
  fake.produce(new Uint8Array());
  t.same(drain(), [''], 'a record may be empty');
  t.end();
});

t.test('the position is published once for a batch, and also when a callback throws or closes', (t) => {
  const fake = new FakeRing();
  const ring = RingBuffer.bytes(fake.map);
  for (const record of ['a', 'b', 'c', 'd', 'e']) fake.produce(bytes(record));
  const during: bigint[] = [];
  t.throws(
    () =>
      ring.drain((record) => {
        during.push(fake.consumed);
        if (text(record) === 'c') throw new TypeError('mine');
      }),
    { message: 'mine' },
  );
  t.same(during, [0n, 0n, 0n]);
  t.equal(fake.consumed, 48n, 'the record that made it throw counts as read');
  t.equal(
    ring.drain(() => undefined, { limit: 1 }),
    1,
  );
  t.equal(fake.consumed, 64n);
  for (const limit of [0, -1, Number.NaN]) {
    t.equal(
      ring.drain(() => t.fail('beyond the limit'), { limit }),
      0,
    );
  }
  fake.produce(bytes('f'));
  const seen: string[] = [];
  t.equal(
    ring.drain((record) => {
      seen.push(text(record));
      ring.close();
      ring.close();
    }),
    1,
  );
  t.same(seen, ['e'], 'closing within a callback ends the batch');
  t.equal(fake.openMappings.size, 0);
  t.equal(ring.closed, true);
  t.equal(ring.pending, 0);
  t.equal(thrown(() => ring.drain(() => undefined)).message, 'Cannot use the ring buffer fake: it is closed');
  t.end();
});

t.test('within a callback it cannot be drained again', (t) => {
  const fake = new FakeRing();
  const ring = RingBuffer.bytes(fake.map);
  fake.produce(bytes('a'));
  ring.drain(() => {
    t.equal(
      thrown(() => ring.drain(() => undefined)).message,
      'Cannot drain ring buffer fake from within its own callback',
    );
  });
  t.equal(
    ring.drain(() => undefined),
    0,
  );
  t.end();
});

t.test('a record reads within itself, and nowhere else', (t) => {
  const view = new DataView(new ArrayBuffer(64));
  for (let index = 0; index < 64; index++) view.setUint8(index, 0xf0 + index);
  const record = new RingBufferRecord(view);
  record.moveTo(8, 16);
  t.equal(record.length, 16);
  t.equal(record.u8(0), 0xf8);
  t.equal(record.u16(0), 0xf9f8);
  t.equal(record.u32(4), 0xfffefdfc);
  t.equal(record.i32(4), -0x10204);
  t.equal(record.u64(0), 0xfffefdfcfbfaf9f8n);
  t.equal(record.i64(0), 0xfffefdfcfbfaf9f8n - 2n ** 64n);
  t.same(record.bytes(14), Uint8Array.of(6, 7));
  t.not(record.bytes().buffer, view.buffer, 'bytes are copies');
  view.setUint8(8, 0x41);
  view.setUint8(9, 0);
  t.equal(record.string(0, 16), 'A');
  const reads: [string, () => unknown][] = [
    ['u8 behind the end', () => record.u8(16)],
    ['u16 over the end', () => record.u16(15)],
    ['u32 before the start', () => record.u32(-1)],
    ['u64 over the end', () => record.u64(9)],
    ['bytes over the end', () => record.bytes(8, 9)],
    ['bytes of a negative length', () => record.bytes(8, -1)],
    ['bytes from behind', () => record.bytes(17)],
    ['text over the end', () => record.string(1, 16)],
    ['no number', () => record.u8(Number.NaN)],
  ];
  for (const [what, read] of reads) t.equal(thrown(read).code, 'OUT_OF_BOUNDS', what);
  t.end();
});

t.test('what cannot be read is refused', (t) => {
  const kernel = new RecordingKernel();
  const array = BpfMap.create(
    { type: BPF_MAP_TYPE_ARRAY, keySize: 4, valueSize: 4, maxEntries: 1, name: 'numbers' },
    { kernel },
  );
  t.equal(
    thrown(() => RingBuffer.bytes(array)).message,
    'Cannot read events from map numbers: it is not a ring buffer',
  );
  for (const batchSize of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    t.equal(
      thrown(() => RingBuffer.bytes(new FakeRing().map, { batchSize })).message,
      `Cannot read in batches of ${batchSize}: a positive whole number is wanted`,
    );
  }
  const fake = new FakeRing();
  const ring = RingBuffer.bytes(fake.map);
  fake.map.close();
  t.equal(ring.closed, true, 'the reader goes with the map');
  t.equal(thrown(() => RingBuffer.bytes(fake.map)).code, 'CLOSED');
  t.end();
});

t.test('records that no kernel leaves are not read', (t) => {
  const beyond = new FakeRing();
  const ring = RingBuffer.bytes(beyond.map);
  beyond.produce(bytes('good'));
  const at = beyond.produce(bytes('longer'));
  beyond.flag(at, 4000);
  const seen: string[] = [];
  const message = 'Cannot access 4000 bytes at offset 24: only 16 bytes are there';
  t.equal(thrown(() => ring.drain((record) => seen.push(text(record)))).message, message);
  t.same(seen, ['good'], 'what came before is');
  t.equal(beyond.consumed, 16n, 'and given back');
  ring.close();

  const ahead = new FakeRing();
  const other = RingBuffer.bytes(ahead.map);
  ahead.produce(bytes('good'));
  for (let count = 0; count < SIZE / 16; count++) ahead.produce(bytes('too many'));
  const tooFar = 'Cannot access 8 bytes at offset 8: only 4096 bytes are there';
  t.equal(thrown(() => other.drain(() => undefined)).message, tooFar);
  other.close();
  t.end();
});
