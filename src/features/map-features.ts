import { bpfError, errno, openBpf, tryBpf, type BpfCall, type Kernel } from '../sys/index.ts';
import {
  BPF_F_CPU,
  BPF_F_MMAPABLE,
  BPF_MAP_TYPE_ARRAY,
  BPF_MAP_TYPE_PERCPU_ARRAY,
  BPF_MAP_TYPE_RINGBUF,
  bpf_attr_batch,
  bpf_attr_map_create,
  bpf_attr_map_elem,
} from '../uapi/index.ts';
import { NO_DESCRIPTOR, canOpen, looksUpDescriptor } from './attempt.ts';
import type { Feature } from './feature.ts';

const array = { map_type: BPF_MAP_TYPE_ARRAY, key_size: 4, value_size: 4, max_entries: 1 };

/** A feature that shows in creating one map. */
function mapFeature(facts: {
  readonly name: string;
  readonly minKernel: string;
  readonly fields: (kernel: Kernel) => Partial<bpf_attr_map_create>;
}): Feature {
  const { name, minKernel, fields } = facts;
  const probe = (kernel: Kernel): boolean =>
    canOpen(kernel, {
      command: 'BPF_MAP_CREATE',
      attribute: bpf_attr_map_create,
      fields: fields(kernel),
      subject: name,
    });
  return { name, minKernel, probe };
}

export const mapNames = mapFeature({
  name: 'names of maps',
  minKernel: '4.15',
  fields: () => ({ ...array, map_name: 'ts_xdp_probe' }),
});

export const mmapableArray = mapFeature({
  name: 'arrays that can be mapped into memory',
  minKernel: '5.5',
  fields: () => ({ ...array, map_flags: BPF_F_MMAPABLE }),
});

export const ringBuffer = mapFeature({
  name: 'ring buffer maps',
  minKernel: '5.8',
  fields: ({ pageSize }) => ({ map_type: BPF_MAP_TYPE_RINGBUF, max_entries: pageSize }),
});

/** SHA-256. */
const HASH_SIZE = 32;
/** Of a program that there cannot be. */
const NO_HASH = new Uint8Array(HASH_SIZE);

export const exclusiveMaps = mapFeature({
  name: 'maps of one program alone',
  minKernel: '6.18',
  fields: (kernel) => ({
    ...array,
    excl_prog_hash: kernel.addressOf(NO_HASH),
    excl_prog_hash_size: HASH_SIZE,
  }),
});

export const batchOperations: Feature = {
  name: 'batch operations on maps',
  minKernel: '5.6',
  probe: (kernel) =>
    looksUpDescriptor(kernel, {
      command: 'BPF_MAP_LOOKUP_BATCH',
      attribute: bpf_attr_batch,
      fields: { map_fd: NO_DESCRIPTOR },
      subject: 'batch operations on maps',
    }),
};

export const singleCpuValues: Feature = {
  name: 'access to the value of one CPU',
  minKernel: '7.0',
  probe(kernel) {
    const doing = 'probe for access to the value of one CPU';
    using fd = openBpf(kernel, {
      command: 'BPF_MAP_CREATE',
      attribute: bpf_attr_map_create,
      fields: { ...array, map_type: BPF_MAP_TYPE_PERCPU_ARRAY },
      doing,
      description: 'map probe',
    });
    // A kernel that does not know the flag looks at nothing else, and one that knows it copies 8 bytes at most.
    const [key, value] = [new Uint8Array(4), new Uint8Array(8 * kernel.possibleCpus())];
    const call: BpfCall<bpf_attr_map_elem> = {
      command: 'BPF_MAP_LOOKUP_ELEM',
      attribute: bpf_attr_map_elem,
      fields: {
        map_fd: fd.value,
        key: kernel.addressOf(key),
        value: kernel.addressOf(value),
        flags: BigInt(BPF_F_CPU),
      },
      keep: [key, value],
      doing,
    };
    const result = tryBpf(kernel, call);
    if (result < 0 && result !== -errno.EINVAL) throw bpfError(call, result);
    return result >= 0;
  },
};
