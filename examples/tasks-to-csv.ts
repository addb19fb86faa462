/**
 * All threads of the machine as CSV: an iterator walks over them in the kernel and writes a record for each, which is
 * decoded by the object's own BTF. (Without a generated module: types are known at run time only.)
 *
 *     tasks-to-csv.ts > tasks.csv
 */
import { join } from 'node:path';
import { attachIterator, Collection, ObjectFile } from 'ts-xdp';
import { createCodec, toJson, type Btf, type BtfValue, type Codec } from 'ts-xdp/btf';

function codecOf(btf: Btf | undefined, struct: string): Codec {
  const typeId = btf?.find(struct, 'struct');
  if (btf === undefined || typeId === undefined) throw new Error(`the object has no struct ${struct}`);
  return createCodec(btf, typeId);
}

/** A row of CSV as RFC 4180 has it. */
function row(values: readonly BtfValue[]): string {
  const cells = values
    .map(toJson)
    .map((value) => (typeof value === 'string' ? value : JSON.stringify(value)));
  return cells.map((cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(',');
}

const object = ObjectFile.open(join(import.meta.dirname, 'bpf/tasks-to-csv.bpf.o'));
const thread = codecOf(object.btf, 'thread');
using collection = Collection.load(object);
using tasks = attachIterator(collection.program('write_thread'));

const records = Buffer.concat([...tasks.bytes()]);
const view = new DataView(records.buffer, records.byteOffset, records.length);
for (let offset = 0; offset < records.length; offset += thread.size) {
  const fields = thread.read(view, offset) as Record<string, BtfValue>;
  if (offset === 0) console.log(row(Object.keys(fields)));
  console.log(row(Object.values(fields)));
}
