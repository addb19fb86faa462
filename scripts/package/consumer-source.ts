/** A module that uses every entry point, for compilers: with an error that must be one. */
export const CONSUMER = `
import { attachXdp, Collection, ObjectFile, RingBuffer, TsXdpError } from 'ts-xdp';
import { createCodec, type BtfValue } from 'ts-xdp/btf';
import { assemble, disassemble } from 'ts-xdp/asm';
import { RingBufferRecord } from 'ts-xdp/ringbuf';
import { codec, loadGenerated, TypedMap } from 'ts-xdp/gen-runtime';
import 'ts-xdp/register';

export function lookUp(path: string): BtfValue | undefined {
  using collection = Collection.load(ObjectFile.open(path));
  using attachment = attachXdp(collection.program('xdp'), { interface: 'lo' });
  const mode: string = attachment.mode;
  return collection.map(mode).get(1);
}
export async function read(events: RingBuffer<{ pid: number }>): Promise<number> {
  for await (const { pid } of events) return pid;
  throw new TypeError(String(TsXdpError));
}
// @ts-expect-error: an option that there is not.
export const wrong = (collection: Collection): unknown => attachXdp(collection.program('xdp'), { device: 'lo' });
export { assemble, codec, createCodec, disassemble, loadGenerated, RingBufferRecord, TypedMap };
`;

/** With --strict, and the declarations themselves checked (no skipLibCheck). */
export const COMPILER_OPTIONS: readonly string[] = [
  '--noEmit',
  '--strict',
  '--exactOptionalPropertyTypes',
  '--noUncheckedIndexedAccess',
  ...['--target', 'es2023', '--lib', 'es2023,esnext.disposable', '--types', 'node'],
];

/** A module that imports an object, and prints how many programs are in it. */
export const IMPORTER = `
import sniffer, { SimpleEvent } from './sniffer.bpf.o';
import { ObjectFile } from 'ts-xdp';
const { size } = ObjectFile.open('sniffer.bpf.o').programs;
console.log(process.version, size === sniffer.openObject().programs.size && SimpleEvent.size > 0);
`;
