/** One of the verifier's rules, known by what it says when it is broken. */
export interface VerifierRule {
  readonly name: string;
  /** Of the line that tells most, which becomes the summary. */
  readonly pattern: RegExp;
  readonly suggestion?: string;
}

const RELEASE =
  'release what was acquired on every path: submit or discard a ring buffer record, release a socket, destroy an iterator';
const GLOBAL_FUNCTION =
  'a global function returns a number, and takes numbers, the context, or pointers that it compares with NULL itself; static ones are verified with their callers';

/** The first that matches counts; within it the last line that matches. The wording is that of kernel/bpf/verifier.c. */
export const VERIFIER_RULES: readonly VerifierRule[] = [
  {
    name: 'packet-bounds',
    pattern: /offset is outside of the packet|^invalid access to packet/,
    suggestion:
      'compare the pointer with data_end before this access: if (pointer + size > data_end) return …',
  },
  {
    name: 'null-check',
    pattern: /invalid mem access '\w*(_or_null|mem_or_null)'|pointer arithmetic on \w+_or_null prohibited/,
    suggestion: 'compare the pointer with NULL before this access',
  },
  {
    name: 'not-a-pointer',
    pattern: /invalid mem access '(scalar|inv)'/,
    suggestion:
      'an integer is no pointer to the verifier: keep the pointer itself, or read kernel memory with bpf_probe_read_kernel()',
  },
  {
    name: 'value-bounds',
    pattern:
      /unbounded memory access|(min|max) value is outside of the allowed memory range|(min|max) value is negative|^invalid access to (map value|memory)/,
    suggestion: 'compare the index with the size of the memory before this access, in an unsigned type',
  },
  {
    name: 'pointer-arithmetic',
    pattern:
      /with unbounded min value is not allowed|^math between .* pointer|pointer arithmetic .*prohibited/,
    suggestion: 'bound what is added to the pointer on both sides first, or make it unsigned',
  },
  {
    name: 'helper-argument-size',
    pattern:
      /invalid zero-sized read|unbounded memory access, use 'var &= const'|invalid (indirect|negative) (read|access)/,
    suggestion: 'bound the size from below and above: if (size == 0 || size > sizeof(buffer)) return …',
  },
  {
    name: 'loop',
    pattern: /^infinite loop detected|^back-edge from insn|^the sequence of \d+ jumps is too complex/i,
    suggestion: 'bound the loop by a constant, or use bpf_loop() or bpf_for()',
  },
  {
    name: 'too-complex',
    pattern: /^BPF program is too large|^too many states/,
    suggestion: 'shorten loops, use bpf_loop() or bpf_for(), or split it into global functions or tail calls',
  },
  {
    name: 'reference-leak',
    pattern: /^Unreleased reference/,
    suggestion: RELEASE,
  },

  { name: 'reference-leak', pattern: /would lead to reference leak/, suggestion: RELEASE },
  {
    name: 'lock-held',
    pattern: /spin_lock-ed region|while holding a lock|bpf_spin_unlock is missing|inside bpf_spin_lock/,
    suggestion: 'unlock on every path, and call nothing between bpf_spin_lock() and bpf_spin_unlock()',
  },
  {
    name: 'stack-limit',
    pattern: /combined stack size of|^invalid write to stack|^stack depth \d+.*[Tt]oo large/,
    suggestion: 'the stack has 512 bytes over all calls: keep large data in a per-CPU array of one entry',
  },
  { name: 'stack-alignment', pattern: /^misaligned stack access/ },
  {
    name: 'stack-uninitialised',
    pattern: /^invalid (indirect )?read from stack/,
    suggestion: 'initialise the variable, padding included: struct value v = {}; or memset it',
  },
  {
    name: 'stack-spill',
    pattern:
      /^invalid size of register (fill|spill)|^corrupted spill memory|^attempt to corrupt spilled pointer/,
    suggestion: 'read a pointer back from the stack whole, with 8 bytes',
  },
  { name: 'frame-pointer', pattern: /^frame pointer is read only/ },
  {
    name: 'uninitialised-register',
    pattern: /^R\d+ !read_ok/,
    suggestion:
      'set the variable on every path to here; R0 is the return value, and R1 to R5 are lost by every call',
  },
  {
    name: 'context-access',
    pattern: /^invalid bpf_context access|dereference of modified ctx ptr/,
    suggestion:
      'access fields of the context one by one, by their names: not all may be read or written in this program type',
  },
  {
    name: 'license',
    pattern: /cannot call GPL-restricted function|GPL-?(only|compatible)/i,
    suggestion:
      'declare a license that the kernel takes for the GPL: char _license[] SEC("license") = "GPL";',
  },
  {
    name: 'sleep',
    pattern: /might sleep in a non-sleepable prog|^sleepable helper|kernel func(tion)? \S+ is sleepable/,
    suggestion:
      'call it outside of locks and RCU sections, from a program of a sleepable section (its name ends in .s)',
  },
  {
    name: 'helper-unknown',
    pattern: /^invalid func unknown#/,
    suggestion:
      'this kernel is older than the helper: check with bpf_core_enum_value_exists(enum bpf_func_id, …) first',
  },
  {
    name: 'kernel-function-not-allowed',
    pattern: /^calling kernel function \S+ is not allowed/,
    suggestion:
      'every kernel function is for some program types only: look where the kernel registers it for them',
  },
  {
    name: 'helper-not-allowed',
    pattern: /cannot use helper|^unknown func/,
    suggestion: 'bpftool feature probe lists the helpers of each program type',
  },
  {
    name: 'unreachable',
    pattern: /^unreachable insn/,
    suggestion: 'take out the code that is never reached',
  },
  {
    name: 'dynptr',
    pattern: /dynptr/i,
    suggestion: 'a dynptr is made by its constructor, checked, and released on every path',
  },
  {
    name: 'iterator',
    pattern: /iter_\w+ as arg|iterator/,
    suggestion: 'call bpf_iter_…_new() first and bpf_iter_…_destroy() on every path',
  },
  {
    name: 'global-function',
    pattern: /^Global function /,
    suggestion: GLOBAL_FUNCTION,
  },
  { name: 'global-function', pattern: /^Caller passes invalid args into func/, suggestion: GLOBAL_FUNCTION },
  { name: 'return-value', pattern: /^At program exit the register R0/ },
  {
    name: 'argument-type',
    pattern: /^R\d+ type=\S+ expected=|^arg#\d+ /,
    suggestion: 'pass what the helper asks for: man bpf-helpers',
  },
];
