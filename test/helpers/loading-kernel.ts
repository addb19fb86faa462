import { BPF_BTF_LOAD, BPF_MAP_CREATE, BPF_PROG_LOAD } from '../../src/uapi/index.ts';
import { RecordingKernel } from './recording-kernel.ts';

const CREATING: readonly number[] = [BPF_MAP_CREATE, BPF_PROG_LOAD, BPF_BTF_LOAD];

/**
 * A kernel that takes every map, program and BTF and says yes to everything else. `refuse` may answer a call with a
 * negated errno instead; it gets the number of the call, from 0.
 */
export function loadingKernel(
  refuse: (call: { command: number; index: number }) => number = () => 0,
): RecordingKernel {
  const kernel: RecordingKernel = new RecordingKernel(({ command }) => {
    const refused = refuse({ command, index: kernel.calls.length - 1 });
    if (refused !== 0) return refused;
    return CREATING.includes(command) ? kernel.newDescriptor() : 0;
  });
  return kernel;
}
