/**
 * Our side of the map benchmark, in a process of its own as the C side is, so that neither warms the other's code.
 *
 * Usage: our-maps.js OBJECT ENTRIES. It speaks the protocol of libbpf-maps.c.
 */
import { createInterface } from 'node:readline';
import { Collection, HashMap, MappedArray, ObjectFile } from '../../src/index.ts';
import type { ReaderAnswer } from '../ring/reader-process.ts';

const COUNTERS = 64;

interface Traffic {
  readonly packets: number;
  readonly errors: number;
  readonly bytes: bigint;
}

const [objectPath, entryCount] = process.argv.slice(2);
if (objectPath === undefined || entryCount === undefined)
  throw new Error('Usage: our-maps.js OBJECT ENTRIES');
const ENTRIES = Number(entryCount);
const collection = Collection.load(ObjectFile.open(objectPath));
const flows = new HashMap<number, Traffic>(collection.map('flows'));
const counters = new MappedArray<bigint>(collection.map('counters'));
const keys = Array.from({ length: ENTRIES }, (_, index) => index);
const entries = keys.map((index): [number, Traffic] => [
  index,
  { packets: index * 3, errors: index, bytes: BigInt(index * 5) },
]);
for (let index = 0; index < COUNTERS; index++) counters.set(index, BigInt(index) * 0x1_0000_0001n);

function mix(key: number, { packets, errors, bytes }: Traffic): number {
  return (((key ^ packets) >>> 0) + errors + Number(BigInt.asUintN(32, bytes))) >>> 0;
}

function iterate(): number {
  let checksum = 0;
  for (const [key, value] of flows) checksum = (checksum + mix(key, value)) >>> 0;
  return checksum;
}

const operations: Readonly<Record<string, (count: number) => number>> = {
  lookup(count) {
    let checksum = 0;
    for (let done = 0; done < count; done++) {
      const key = done % ENTRIES;
      const value = flows.get(key);
      if (value === undefined) throw new Error(`Cannot look up ${String(key)}`);
      checksum = (checksum + mix(key, value)) >>> 0;
    }
    return checksum;
  },
  update(count) {
    for (let done = 0; done < count; done++) {
      const key = done % ENTRIES;
      flows.set(key, { packets: done, errors: key, bytes: BigInt(done + 7) });
    }
    return count;
  },
  delete(count) {
    let deleted = 0;
    for (let key = 0; key < count; key++) if (flows.delete(key)) deleted++;
    return deleted;
  },
  set: (count) => flows.setMany(count === ENTRIES ? entries : entries.slice(0, count)),
  iterate,
  remove: (count) => flows.deleteMany(count === ENTRIES ? keys : keys.slice(0, count)),
  counter(count) {
    let checksum = 0;
    for (let done = 0; done < count; done++) checksum = (checksum + counters.count(done % COUNTERS)) >>> 0;
    return checksum;
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const [operation = '', wanted = ''] = line.split(' ');
  const perform = operations[operation];
  if (!perform) throw new Error(`Cannot understand ${operation}`);
  const count = Number(wanted);
  flows.clear();
  if (operation !== 'set') flows.setMany(entries);
  const start = process.cpuUsage();
  let checksum = perform(count);
  const { user, system } = process.cpuUsage(start);
  const nanoseconds = (user + system) * 1000;
  if (operation === 'set' || operation === 'update') checksum = iterate();
  const answer: ReaderAnswer = { events: count, checksum, nanoseconds };
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
counters.close();
collection.close();
