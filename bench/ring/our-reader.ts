/**
 * Our side of the ring benchmark, in a process of its own as the C side is, so that neither warms the other's code.
 *
 * Usage: our-reader.js OBJECT fields|record|object. It speaks the protocol of libbpf-reader.c.
 */
import { createInterface } from 'node:readline';
import { Collection, ObjectFile, RingBuffer, type RingBufferRecord } from '../../src/index.ts';
import type { ReaderAnswer } from './reader-process.ts';

/** Where `struct simple_event` has the fields that both sides read, written by hand. */
const SOURCE_ADDRESS = 0;
const DESTINATION_ADDRESS = 4;
const DESTINATION_PORT = 10;
const PACKET_LENGTH = 14;

/** The batch that `listen` takes where nothing else is said. */
const BATCH = 1024;

interface Fields {
  readonly src_ip: number;
  readonly dst_ip: number;
  readonly dst_port: number;
  readonly packet_len: number;
}

let checksum = 0;
let events = 0;

function add(mixed: number): void {
  checksum = (((checksum << 1) | (checksum >>> 31)) + mixed) | 0;
  events++;
}

function mixFields({ src_ip, dst_ip, dst_port, packet_len }: Fields): number {
  return (src_ip ^ dst_port) + (dst_ip ^ packet_len);
}

function mixRecord(record: RingBufferRecord): number {
  return (
    (record.u32(SOURCE_ADDRESS) ^ record.u16(DESTINATION_PORT)) +
    (record.u32(DESTINATION_ADDRESS) ^ record.u32(PACKET_LENGTH))
  );
}

/** Returns what drains everything that is in the ring. */
function openReader(collection: Collection, how: string): () => void {
  const map = collection.map('events');
  const limit = { limit: BATCH };
  if (how === 'record') {
    const ring = RingBuffer.open(map, { decode: mixRecord });
    return () => {
      while (ring.drain(add, limit) > 0);
    };
  }
  const { btf, anchors } = collection.object;
  const typeId = anchors.events.get('events');
  if (!btf || typeId === undefined) throw new Error('Cannot tell the type of the events');
  if (how === 'fields') {
    const ring = RingBuffer.inPlace(map, { btf, typeId, decode: mixFields });
    return () => {
      while (ring.drain(add, limit) > 0);
    };
  }
  const ring = RingBuffer.typed(map, { btf, typeId });
  const addObject = (event: unknown): void => {
    add(mixFields(event as Fields));
  };
  return () => {
    while (ring.drain(addObject, limit) > 0);
  };
}

const [objectPath, how] = process.argv.slice(2);
if (objectPath === undefined || how === undefined)
  throw new Error('Usage: our-reader.js OBJECT fields|record|object');
const collection = Collection.load(ObjectFile.open(objectPath));
const program = collection.program('fill');
const drain = openReader(collection, how);
const packet = new Uint8Array(64);

for await (const line of createInterface({ input: process.stdin })) {
  const [wanted, chunk] = line.split(' ').map(Number) as [number, number];
  let spent = 0n;
  checksum = 0;
  events = 0;
  for (let left = wanted; left > 0; left -= chunk) {
    program.testRun({ data: packet, repeat: Math.min(left, chunk) });
    const start = process.hrtime.bigint();
    drain();
    spent += process.hrtime.bigint() - start;
  }
  const answer: ReaderAnswer = { events, checksum: checksum >>> 0, nanoseconds: Number(spent) };
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
collection.close();
