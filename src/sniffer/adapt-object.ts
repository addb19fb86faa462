import type { ObjectFile } from '../elf/index.ts';
import { Feature, isSupported } from '../features/index.ts';

/**
 * Chooses what a sniffer object leaves open for the kernel it is loaded into: how payload is copied. Objects without
 * such a setting stay as they are.
 */
export function adaptToKernel(object: ObjectFile): void {
  const useLoadBytes = object.variables.get('use_load_bytes');
  // bpf_xdp_load_bytes() came with Linux 5.18; the verifier refuses even a program that could only fail to call it.
  if (useLoadBytes?.get() === 1 && !isSupported(Feature.XdpLoadBytes)) useLoadBytes.set(0);
}
