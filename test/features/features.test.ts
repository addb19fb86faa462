import t from 'tap';
import { ArgumentError, PermissionError, SyscallError, UnsupportedFeatureError } from '../../src/errors.ts';
import { helperName } from '../../src/asm/index.ts';
import {
  Feature,
  firstKernelOfAttachType,
  firstKernelOfHelper,
  firstKernelOfMapType,
  firstKernelOfProgramType,
  isHelperAvailable,
  isMapTypeSupported,
  isProgramTypeSupported,
  isSupported,
  requireFeature,
} from '../../src/features/index.ts';
import * as uapi from '../../src/uapi/index.ts';
import { AttachType } from '../../src/programs/index.ts';
import { errno } from '../../src/sys/index.ts';
import {
  BPF_BTF_LOAD,
  BPF_FUNC_map_lookup_elem,
  BPF_LINK_CREATE,
  BPF_MAP_CREATE,
  BPF_MAP_LOOKUP_BATCH,
  BPF_MAP_LOOKUP_ELEM,
  BPF_OBJ_GET_INFO_BY_FD,
  BPF_PROG_ASSOC_STRUCT_OPS,
  BPF_PROG_LOAD,
  BPF_RAW_TRACEPOINT_OPEN,
  BPF_PROG_TYPE_SOCKET_FILTER,
  BPF_PROG_TYPE_STRUCT_OPS,
  BPF_PROG_TYPE_XDP,
  bpf_attr_map_create,
  bpf_attr_prog_load,
} from '../../src/uapi/index.ts';
import { RecordingKernel } from '../helpers/recording-kernel.ts';
import { thrown } from '../helpers/thrown.ts';

/** A kernel that gives the same answer to one command, and a descriptor for every other. */
function answering(command: number, result: number): RecordingKernel {
  const kernel: RecordingKernel = new RecordingKernel((call) =>
    call.command === command ? result : kernel.newDescriptor(),
  );
  return kernel;
}

/** A kernel that refuses programs, and writes a log into the buffer that it is given. */
class Verifier extends RecordingKernel {
  readonly #buffers = new Map<bigint, Uint8Array>();

  constructor(log: string, result: number) {
    super(({ attribute }) => {
      const buffer = this.#buffers.get(bpf_attr_prog_load.decode(attribute).log_buf);
      buffer?.set(new TextEncoder().encode(log));
      return result;
    });
  }

  override addressOf(bytes: Uint8Array): bigint {
    const address = super.addressOf(bytes);
    this.#buffers.set(address, bytes);
    return address;
  }
}

/** The command that each feature shows in, the last one where it needs several. */
const commands: Readonly<Record<keyof typeof Feature, number>> = {
  BpfSyscall: BPF_OBJ_GET_INFO_BY_FD,
  XdpProgram: BPF_PROG_LOAD,
  RingBuffer: BPF_MAP_CREATE,
  RingBufferReserve: BPF_PROG_LOAD,
  RingBufferOutput: BPF_PROG_LOAD,
  GlobalData: BPF_PROG_LOAD,
  MmapableArray: BPF_MAP_CREATE,
  BatchOperations: BPF_MAP_LOOKUP_BATCH,
  SingleCpuValues: BPF_MAP_LOOKUP_ELEM,
  MapNames: BPF_MAP_CREATE,
  ProgramNames: BPF_PROG_LOAD,
  XdpLink: BPF_LINK_CREATE,
  CgroupLink: BPF_LINK_CREATE,
  CgroupOrder: BPF_LINK_CREATE,
  Tcx: BPF_LINK_CREATE,
  Netkit: BPF_LINK_CREATE,
  FlowDissectorLink: BPF_LINK_CREATE,
  SkLookup: BPF_LINK_CREATE,
  Netfilter: BPF_LINK_CREATE,
  PerfEventLink: BPF_LINK_CREATE,
  SockmapLink: BPF_LINK_CREATE,
  KprobeMulti: BPF_LINK_CREATE,
  KprobeSession: BPF_LINK_CREATE,
  UprobeMulti: BPF_LINK_CREATE,
  UprobeSession: BPF_LINK_CREATE,
  RawTracepointCookie: BPF_RAW_TRACEPOINT_OPEN,
  StructOpsLink: BPF_MAP_CREATE,
  StructOpsAssociation: BPF_PROG_ASSOC_STRUCT_OPS,
  ExclusiveMaps: BPF_MAP_CREATE,
  XdpFrags: BPF_PROG_LOAD,
  XdpLoadBytes: BPF_PROG_LOAD,
  DeviceBoundXdp: BPF_PROG_LOAD,
  LargePrograms: BPF_PROG_LOAD,
  BoundedLoops: BPF_PROG_LOAD,
  InstructionSet2: BPF_PROG_LOAD,
  InstructionSet3: BPF_PROG_LOAD,
  InstructionSet4: BPF_PROG_LOAD,
  MemoryCgroupAccounting: BPF_PROG_LOAD,
  ContextArguments: BPF_PROG_LOAD,
  Btf: BPF_BTF_LOAD,
  BtfFunctions: BPF_BTF_LOAD,
  BtfGlobalFunctions: BPF_BTF_LOAD,
  BtfDataSections: BPF_BTF_LOAD,
  BtfQuestionMarkSections: BPF_BTF_LOAD,
  BtfFloat: BPF_BTF_LOAD,
  BtfDeclTag: BPF_BTF_LOAD,
  BtfTypeTag: BPF_BTF_LOAD,
  BtfEnum64: BPF_BTF_LOAD,
};
const features = Object.entries(Feature) as [keyof typeof Feature, Feature][];

/** Those that ask about a descriptor that cannot exist, and so wait for EBADF. */
const lookups: readonly string[] = [
  'BatchOperations',
  'XdpLink',
  'BpfSyscall',
  'CgroupLink',
  'RawTracepointCookie',
  'StructOpsAssociation',
];

t.test('a kernel that refuses with EINVAL', (t) => {
  for (const [key, feature] of features) {
    const kernel = answering(commands[key], -errno.EINVAL);
    // The oldest kernels do not know the command, which says that they know bpf(2).
    t.equal(isSupported(feature, { kernel }), key === 'BpfSyscall', `${key} is told from the errno`);
    t.equal(kernel.openDescriptors.size, 0, `${key} leaves nothing open`);
  }
  t.end();
});

function obliging(key: keyof typeof Feature): RecordingKernel {
  if (lookups.includes(key)) return answering(commands[key], -errno.EBADF);
  // Reading an entry gives no descriptor.
  return key === 'SingleCpuValues' ? answering(commands[key], 0) : new RecordingKernel();
}

t.test('a kernel that does as it is asked', (t) => {
  for (const [key, feature] of features) {
    const kernel = obliging(key);
    t.equal(isSupported(feature, { kernel }), true, `${key} is supported`);
    t.equal(kernel.openDescriptors.size, 0, `${key} leaves nothing open`);
  }
  t.end();
});

t.test('a kernel that does not permit to try', (t) => {
  for (const [key, feature] of features) {
    const kernel = answering(commands[key], -errno.EPERM);
    const error = thrown(() => isSupported(feature, { kernel }));
    t.type(error, PermissionError, `${key} is not known`);
    t.match(error.message, `Cannot probe for ${feature.name}`, `${key} is named`);
    t.equal(kernel.openDescriptors.size, 0, `${key} leaves nothing open`);
  }
  t.end();
});

t.test('a kernel that has no bpf(2)', (t) => {
  const kernel = new RecordingKernel(() => -errno.ENOSYS);
  t.equal(isSupported(Feature.BpfSyscall, { kernel }), false, 'lacks the system call');
  t.type(
    thrown(() => isSupported(Feature.RingBuffer, { kernel })),
    UnsupportedFeatureError,
    'and says so when asked for what needs it',
  );
  t.end();
});

t.test('what is found out', (t) => {
  t.test('is asked for once where it is conclusive', (t) => {
    const supporting = new RecordingKernel();
    const refusing = answering(BPF_MAP_CREATE, -errno.EINVAL);
    for (const kernel of [supporting, refusing]) {
      const first = isSupported(Feature.RingBuffer, { kernel });
      t.equal(isSupported(Feature.RingBuffer, { kernel }), first);
      t.equal(kernel.calls.length, 1);
    }
    t.end();
  });

  t.test('is asked for again where it is not: a capability may come', (t) => {
    let permitted = false;
    const kernel: RecordingKernel = new RecordingKernel(() =>
      permitted ? kernel.newDescriptor() : -errno.EPERM,
    );
    t.throws(() => isSupported(Feature.RingBuffer, { kernel }), PermissionError);
    permitted = true;
    t.equal(isSupported(Feature.RingBuffer, { kernel }), true);
    t.end();
  });

  t.test('does not come from a shortage', (t) => {
    const kernel = answering(BPF_MAP_CREATE, -errno.ENOMEM);
    const error = thrown(() => isSupported(Feature.RingBuffer, { kernel }));
    t.type(error, SyscallError);
    t.equal(
      error.message,
      'Cannot probe for ring buffer maps: bpf(BPF_MAP_CREATE) failed with ENOMEM (not enough memory)',
    );
    t.end();
  });

  t.test('is no for an attribute that the kernel finds too long', (t) => {
    t.equal(isSupported(Feature.MapNames, { kernel: answering(BPF_MAP_CREATE, -errno.E2BIG) }), false);
    t.end();
  });

  t.test('takes a device without offload for a kernel that came that far', (t) => {
    const kernel = answering(BPF_PROG_LOAD, -errno.EOPNOTSUPP);
    t.equal(isSupported(Feature.DeviceBoundXdp, { kernel }), true);
    t.end();
  });
  t.end();
});

t.test('a feature that is required', (t) => {
  const kernel = answering(BPF_MAP_CREATE, -errno.EINVAL);
  const error = thrown(() => {
    requireFeature(Feature.RingBuffer, { kernel, doing: 'create map events', hint: 'Use a perf buffer.' });
  });
  t.type(error, UnsupportedFeatureError);
  t.equal(error.message, 'Cannot create map events: this kernel has no ring buffer maps (since Linux 5.8)');
  t.equal(error.hint, 'Use a perf buffer.');
  t.match(error.facts(), { feature: 'ring buffer maps', minKernel: '5.8' });
  t.doesNotThrow(() => {
    requireFeature(Feature.RingBuffer, { kernel: new RecordingKernel(), doing: 'create map events' });
  }, 'is no error where it is there');
  t.end();
});

t.test('a ring buffer is tried with one page, the smallest size there is', (t) => {
  const kernel = new RecordingKernel();
  isSupported(Feature.RingBuffer, { kernel });
  t.equal(bpf_attr_map_create.decode(kernel.calls[0]!.attribute).max_entries, kernel.pageSize);
  t.end();
});

t.test('a helper', (t) => {
  const question = { helper: BPF_FUNC_map_lookup_elem, programType: BPF_PROG_TYPE_XDP };

  const cases: readonly [string, string, number, boolean][] = [
    ['is there when the verifier misses its arguments', 'R1 type=ctx expected=map_ptr', -errno.EACCES, true],
    [
      'is there when the verifier finds another fault',
      '0: (85) call bpf_x#1\nhelper call might sleep in a non-sleepable prog\n',
      -errno.EINVAL,
      true,
    ],
    [
      'is not there in the words of old kernels',
      '0: (85) call unknown#189\nunknown func unknown#189\n',
      -errno.EINVAL,
      false,
    ],
    [
      'is not there for this type in the words of new kernels',
      '0: (85) call bpf_skb_load_bytes#26\nprogram of this type cannot use helper bpf_skb_load_bytes#26\n',
      -errno.EINVAL,
      false,
    ],
    [
      'is not there with a number past the last',
      '0: (85) call unknown#9999\ninvalid func unknown#9999\n',
      -errno.EINVAL,
      false,
    ],
    ['is not there where the type of program is not', '', -errno.EINVAL, false],
  ];
  for (const [name, log, result, available] of cases) {
    t.equal(isHelperAvailable(question, { kernel: new Verifier(log, result) }), available, name);
  }

  const kernel = new Verifier('', -errno.EACCES);
  isHelperAvailable(question, { kernel });
  isHelperAvailable({ ...question }, { kernel });
  t.equal(kernel.calls.length, 1, 'is asked for once');
  isHelperAvailable({ ...question, programType: BPF_PROG_TYPE_SOCKET_FILTER }, { kernel });
  t.equal(kernel.calls.length, 2, 'is asked for each type of program');

  const error = thrown(() => isHelperAvailable({ ...question, programType: BPF_PROG_TYPE_STRUCT_OPS }));
  t.type(error, ArgumentError);
  t.equal(
    error.message,
    'Cannot probe for helper 1 in programs of type 27: helpers of this type depend on what the program attaches to',
  );
  t.end();
});

t.test('a type of programs', (t) => {
  const cases: readonly [string, string, number, boolean][] = [
    ['is there when it loads', 'processed 2 insns', 3, true],
    ['is there when the verifier finds fault', 'attach_btf_id 1 is not a typedef\n', -errno.EINVAL, true],
    ['is there when no struct can be implemented', '', -errno.ENOTSUPP, true],
    ['is not there when the verifier is not reached', '', -errno.EINVAL, false],
    ['is not there when its attribute is too long', '', -errno.E2BIG, false],
  ];
  for (const [name, log, result, supported] of cases)
    t.equal(
      isProgramTypeSupported(BPF_PROG_TYPE_XDP, { kernel: new Verifier(log, result) }),
      supported,
      name,
    );

  const error = thrown(() =>
    isProgramTypeSupported(BPF_PROG_TYPE_XDP, { kernel: answering(BPF_PROG_LOAD, -errno.EPERM) }),
  );
  t.type(error, PermissionError);
  t.match(error.message, /^Cannot probe for programs of type 6: /);

  const kernel = new Verifier('processed 2 insns', -errno.EINVAL);
  t.equal(isProgramTypeSupported(BPF_PROG_TYPE_XDP, { kernel, device: 7 }), false, 'a card must take it');
  t.equal(bpf_attr_prog_load.decode(kernel.calls[0]!.attribute).prog_ifindex, 7);
  t.end();
});

t.test('a type of maps', (t) => {
  for (const type of [uapi.BPF_MAP_TYPE_HASH, uapi.BPF_MAP_TYPE_HASH_OF_MAPS, uapi.BPF_MAP_TYPE_SK_STORAGE]) {
    const obliging = new RecordingKernel();
    t.equal(isMapTypeSupported(type, { kernel: obliging }), true);
    t.equal(obliging.openDescriptors.size, 0, 'nothing stays open');
    const last = obliging.calls.at(-1)!;
    t.equal(last.command, BPF_MAP_CREATE);
    t.equal(bpf_attr_map_create.decode(last.attribute).map_type, type);
  }
  const refusing = answering(BPF_MAP_CREATE, -errno.EINVAL);
  t.equal(isMapTypeSupported(uapi.BPF_MAP_TYPE_ARENA, { kernel: refusing }), false);
  const structOps = answering(BPF_MAP_CREATE, -errno.ENOTSUPP);
  t.equal(isMapTypeSupported(uapi.BPF_MAP_TYPE_STRUCT_OPS, { kernel: structOps }), true);
  t.end();
});

t.test('the first Linux is known', (t) => {
  const values = (prefix: string): number[] =>
    Object.entries<unknown>(uapi)
      .filter(([name, value]) => name.startsWith(prefix) && typeof value === 'number' && value > 0)
      .map(([, value]) => value as number);
  const version = /^[3-9]\.\d+$/;
  for (const type of values('BPF_PROG_TYPE_'))
    t.match(firstKernelOfProgramType(type), version, `program ${type}`);
  for (const type of values('BPF_MAP_TYPE_')) t.match(firstKernelOfMapType(type), version, `map ${type}`);
  for (const number of values('BPF_FUNC_'))
    t.match(firstKernelOfHelper(number), version, String(helperName(number)));
  for (const [name, type] of Object.entries(AttachType))
    t.match(firstKernelOfAttachType(type), version, name);
  t.equal(values('BPF_FUNC_').length, 211, 'of every helper');
  for (const none of [0, -1, 212]) t.equal(firstKernelOfHelper(none), undefined, 'of no other');
  t.equal(firstKernelOfProgramType(99), undefined);

  const samples: readonly [number, string][] = [
    [uapi.BPF_FUNC_map_lookup_elem, '3.19'],
    [uapi.BPF_FUNC_ktime_get_ns, '4.1'],
    [uapi.BPF_FUNC_perf_event_output, '4.4'],
    [uapi.BPF_FUNC_skb_load_bytes, '4.5'],
    [uapi.BPF_FUNC_xdp_adjust_head, '4.10'],
    [uapi.BPF_FUNC_fib_lookup, '4.18'],
    [uapi.BPF_FUNC_spin_lock, '5.1'],
    [uapi.BPF_FUNC_probe_read_user, '5.5'],
    [uapi.BPF_FUNC_ringbuf_reserve, '5.8'],
    [uapi.BPF_FUNC_for_each_map_elem, '5.13'],
    [uapi.BPF_FUNC_timer_init, '5.15'],
    [uapi.BPF_FUNC_loop, '5.17'],
    [uapi.BPF_FUNC_xdp_load_bytes, '5.18'],
    [uapi.BPF_FUNC_dynptr_from_mem, '5.19'],
    [uapi.BPF_FUNC_user_ringbuf_drain, '6.1'],
    [uapi.BPF_FUNC_cgrp_storage_get, '6.2'],
  ];
  for (const [helper, since] of samples)
    t.equal(firstKernelOfHelper(helper), since, String(helperName(helper)));
  t.equal(firstKernelOfMapType(uapi.BPF_MAP_TYPE_RINGBUF), Feature.RingBuffer.minKernel);
  t.equal(firstKernelOfHelper(uapi.BPF_FUNC_xdp_load_bytes), Feature.XdpLoadBytes.minKernel);
  t.end();
});
