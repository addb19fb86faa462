import { InstructionView, LOAD_IMMEDIATE_64 } from '../asm/index.ts';
import { BPF_PSEUDO_MAP_FD, BPF_PSEUDO_MAP_VALUE } from '../uapi/index.ts';

/**
 * What the kernel knows a program by, SHA-256 of its instructions without the descriptors of maps:
 * bpf_prog_calc_tag() in kernel/bpf/core.c, since Linux 6.18.
 */
export function programHash(instructions: Uint8Array): Uint8Array {
  const purged = instructions.slice();
  const view = new InstructionView(purged);
  for (let index = 0; index < view.count; index++) {
    if (view.opcode(index) !== LOAD_IMMEDIATE_64 || index + 1 >= view.count) continue;
    const source = view.source(index);
    if (source === BPF_PSEUDO_MAP_FD || source === BPF_PSEUDO_MAP_VALUE) {
      view.setImmediate(index, 0);
      view.setImmediate(index + 1, 0);
    }
    index++;
  }
  // Late: it takes milliseconds to load, and hardly any object has an exclusive map.
  const { createHash } = process.getBuiltinModule('node:crypto');
  return new Uint8Array(createHash('sha256').update(purged).digest());
}
