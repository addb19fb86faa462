import { NotFoundError } from '../../errors.ts';
import { listBtfObjects, type HeldBtfObject } from '../../inspect/index.ts';
import { systemKernel } from '../../sys/index.ts';
import { ExitCode } from '../exit-code.ts';
import type { Json } from '../output/error-report.ts';
import type { Output } from '../output/output.ts';

/** Lists every BTF in the kernel, or the one of an id, as `bpftool btf show` does. */
export async function runBtfShow(output: Output, { id }: { id?: number | undefined } = {}): Promise<number> {
  const objects = listBtfObjects(systemKernel()).filter((object) => id === undefined || object.id === id);
  if (id !== undefined && objects.length === 0)
    throw new NotFoundError(
      'BTF_NOT_FOUND',
      String(id),
      `Cannot find BTF ${id}: the kernel has none of that id`,
    );
  const documents = objects.map(btfDocument);
  const [only] = documents;
  // As bpftool, the one that was asked for is no list.
  output.result(id === undefined || only === undefined ? documents : only, objects.map(btfLine).join('\n'));
  await output.flush();
  return ExitCode.Done;
}

export function btfDocument({ id, size, programIds, mapIds, ofKernel, name }: HeldBtfObject): Json {
  const ids = { id, size, prog_ids: [...programIds], map_ids: [...mapIds] };
  return { ...ids, kernel: ofKernel, ...(name !== '' && { name }) };
}

export function btfLine({ id, size, programIds, mapIds, ofKernel, name }: HeldBtfObject): string {
  const shown = ofKernel ? `[${name}]` : name || '<anon>';
  const programs = programIds.length === 0 ? '' : `  prog_ids ${programIds.join(',')}`;
  const maps = mapIds.length === 0 ? '' : `  map_ids ${mapIds.join(',')}`;
  return `${id}: name ${shown}  size ${size}B${programs}${maps}`;
}
