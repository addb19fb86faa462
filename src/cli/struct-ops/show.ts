import type { Btf } from '../../btf/index.ts';
import { NotFoundError } from '../../errors.ts';
import { mapObjects, readBtfById } from '../../inspect/index.ts';
import { MapType } from '../../maps/index.ts';
import { readInfo, systemKernel } from '../../sys/index.ts';
import { bpf_map_info } from '../../uapi/index.ts';
import { ExitCode } from '../exit-code.ts';
import type { Output } from '../output/output.ts';
import { Words } from '../words.ts';

/** What the kernel puts before the name of the struct that is implemented. */
const PREFIX = 'bpf_struct_ops_';

/** Lists the struct_ops maps in the kernel: which struct of the kernel's each implements. */
export async function runStructOpsShow(given: readonly string[], output: Output): Promise<number> {
  const words = new Words(given, 'struct_ops show');
  const selector = words.takeSelectorIfAny();
  words.end();
  const wanted = typeof selector === 'string' ? selector : selector?.value;
  const kernel = systemKernel();
  const infos = mapObjects(kernel, 'map', (fd) => readInfo(kernel, { fd, descriptor: bpf_map_info })).filter(
    ({ type, id, name }) =>
      type === MapType.StructOps && (wanted === undefined || wanted === String(id) || wanted === name),
  );
  if (wanted !== undefined && infos.length === 0)
    throw new NotFoundError(
      'MAP_NOT_FOUND',
      wanted,
      `Cannot find struct_ops map ${wanted}: the kernel has none of that id or name`,
    );
  const btfs = new Map<number, Btf>();
  const rows = infos.map(({ id, name, btf_vmlinux_id, btf_vmlinux_value_type_id }) => {
    // Before Linux 6.9 the kernel does not tell, and has no other than its own, which is the first.
    const btfId = btf_vmlinux_id || 1;
    const btf = btfs.get(btfId) ?? readBtfById(kernel, btfId);
    btfs.set(btfId, btf);
    return { id, name, kernel_struct_ops: btf.nameOf(btf_vmlinux_value_type_id).replace(PREFIX, '') };
  });
  output.result(
    rows,
    rows
      .map(({ id, name, kernel_struct_ops }) => `${id}: ${name.padEnd(15)} ${kernel_struct_ops}`)
      .join('\n'),
  );
  await output.flush();
  return ExitCode.Done;
}
