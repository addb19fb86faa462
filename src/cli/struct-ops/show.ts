import { systemKernel } from '../../sys/index.ts';
import { ExitCode } from '../exit-code.ts';
import type { Output } from '../output/output.ts';
import { mapStructOps } from './select.ts';

/** What the kernel puts before the name of the struct that is implemented. */
const PREFIX = 'bpf_struct_ops_';

/** Lists the struct_ops maps in the kernel: which struct of the kernel's each implements. */
export async function runStructOpsShow(given: readonly string[], output: Output): Promise<number> {
  const rows = mapStructOps(systemKernel(), { given, command: 'struct_ops show' }, ({ info, btf }) => ({
    id: info.id,
    name: info.name,
    kernel_struct_ops: btf.nameOf(info.btf_vmlinux_value_type_id).replace(PREFIX, ''),
  }));
  output.result(
    rows,
    rows
      .map(({ id, name, kernel_struct_ops }) => `${id}: ${name.padEnd(15)} ${kernel_struct_ops}`)
      .join('\n'),
  );
  await output.flush();
  return ExitCode.Done;
}
