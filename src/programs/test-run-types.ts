import { UnsupportedFeatureError } from '../errors.ts';
import * as uapi from '../uapi/index.ts';
import { programTypeName } from './program-type.ts';

/** The types with a `test_run` in their struct bpf_prog_ops, and the first kernel in which they have it. */
const SINCE: ReadonlyMap<number, string> = new Map([
  [uapi.BPF_PROG_TYPE_XDP, '4.12'],
  [uapi.BPF_PROG_TYPE_SCHED_CLS, '4.12'],
  [uapi.BPF_PROG_TYPE_SCHED_ACT, '4.12'],
  [uapi.BPF_PROG_TYPE_CGROUP_SKB, '4.12'],
  [uapi.BPF_PROG_TYPE_LWT_IN, '4.12'],
  [uapi.BPF_PROG_TYPE_LWT_OUT, '4.12'],
  [uapi.BPF_PROG_TYPE_LWT_XMIT, '4.12'],
  [uapi.BPF_PROG_TYPE_SOCKET_FILTER, '4.16'],
  [uapi.BPF_PROG_TYPE_FLOW_DISSECTOR, '5.1'],
  [uapi.BPF_PROG_TYPE_TRACING, '5.7'],
  [uapi.BPF_PROG_TYPE_RAW_TRACEPOINT, '5.10'],
  [uapi.BPF_PROG_TYPE_SK_LOOKUP, '5.13'],
  [uapi.BPF_PROG_TYPE_SYSCALL, '5.14'],
  [uapi.BPF_PROG_TYPE_NETFILTER, '6.4'],
]);

/** The error for ENOTSUPP of `BPF_PROG_TEST_RUN`, which is of types without a test run, and of devices without one. */
export function withoutTestRun(type: number, doing: string): UnsupportedFeatureError {
  const name = programTypeName(type);
  const since = SINCE.get(type);
  // The command came with these types: a kernel that knows it runs them.
  if (since === '4.12') {
    const why = `it is bound to a network device, whose driver has no test run`;
    return new UnsupportedFeatureError(`test run of ${name} on the device`, '', `Cannot ${doing}: ${why}`);
  }
  const why = `this kernel has no test run for programs of type ${name}`;
  const message = `Cannot ${doing}: ${why}${since === undefined ? '' : ` (since Linux ${since})`}`;
  return new UnsupportedFeatureError(`test run of ${name}`, since ?? '', message, {
    hint: `types with a test run are ${[...SINCE.keys()].map(programTypeName).join(', ')}`,
  });
}
