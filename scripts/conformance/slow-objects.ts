/**
 * Over each of these the verifier visits up to a million instructions, half a second to six seconds on a real processor.
 * On an emulated one `loop3` alone took libbpf more than 25 minutes; so they are asked there only by `--slow`.
 */
const SLOW = new Set([
  'loop3.bpf.o',
  'pyperf100.bpf.o',
  'pyperf180.bpf.o',
  'pyperf600.bpf.o',
  'pyperf600_nounroll.bpf.o',
  'strobemeta.bpf.o',
  'verifier_loops1.bpf.o',
  'verifier_search_pruning.bpf.o',
]);

export const isSlow = (object: string): boolean => SLOW.has(object);
