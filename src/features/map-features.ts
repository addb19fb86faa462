import type { Kernel } from '../sys/index.ts';
import {
  BPF_F_MMAPABLE,
  BPF_MAP_TYPE_ARRAY,
  BPF_MAP_TYPE_RINGBUF,
  bpf_attr_batch,
  bpf_attr_map_create,
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
