import { ArgumentError, AttachError, ClosedError } from '../errors.ts';
import { Feature, requireFeature } from '../features/index.ts';
import type { BpfMap } from '../maps/index.ts';
import type { BpfProgram } from '../programs/index.ts';
import { bpfError, callBpf, describeErrno, errno, Fd, tryBpf } from '../sys/index.ts';
import {
  BPF_F_LINK,
  BPF_MAP_TYPE_STRUCT_OPS,
  BPF_PROG_TYPE_STRUCT_OPS,
  BPF_STRUCT_OPS,
  bpf_attr_link_create,
  bpf_attr_link_update,
  bpf_attr_map_elem,
  bpf_attr_prog_assoc_struct_ops,
} from '../uapi/index.ts';
import { Attachment } from './attachment.ts';
import { BpfLink } from './bpf-link-attachment.ts';

/** Options of {@link attachStructOps}. */
export interface StructOpsOptions {
  /** The map's value, where it has not been written yet. */
  readonly value?: Uint8Array;
}

/**
 * Puts a struct of functions, as `struct tcp_congestion_ops`, to work in the kernel.
 *
 * A map of a `.struct_ops.link` section is attached by bpf_link (Linux 6.4); one of a `.struct_ops` section (Linux
 * 5.6) is registered by writing its value, and stays registered until it is closed, or the map is gone.
 * Needs CAP_BPF, as its programs CAP_PERFMON, and what the subsystem asks for, which for congestion control is nothing.
 *
 * @throws ArgumentError for a map of another type; AttachError: ALREADY_ATTACHED where something of that name is
 * registered; UnsupportedFeatureError, PermissionError
 */
export function attachStructOps(
  map: BpfMap,
  options: StructOpsOptions = {},
): BpfLink | StructOpsRegistration {
  if (map.closed) throw new ClosedError(map.fd.description);
  if (map.type !== BPF_MAP_TYPE_STRUCT_OPS) {
    throw new ArgumentError('map', `Cannot attach map ${map.name}: it is no struct_ops map`);
  }
  if ((map.flags & BPF_F_LINK) === 0) return StructOpsRegistration.register(map, options);
  if (options.value) writeValue(map, options.value);
  const { kernel } = map;
  const call = {
    command: 'BPF_LINK_CREATE',
    attribute: bpf_attr_link_create,
    fields: { map_fd: map.fd.value, attach_type: BPF_STRUCT_OPS },
    doing: `attach struct_ops map ${map.name}`,
  } as const;
  const result = tryBpf(kernel, call);
  if (result < 0) throw refused(map, { call: 'BPF_LINK_CREATE', result });
  const fd = new Fd(kernel, result, `struct_ops link of map ${map.name}`);
  return new BpfLink(fd, { kernel, kind: 'struct_ops', target: map.name });
}

/**
 * Puts another map's struct in the place of the one that a link holds (Linux 6.4). The kernel takes one of the same
 * struct that changes only what may change, for congestion control everything but the name.
 *
 * @throws AttachError (ATTACH_REFUSED)
 */
export function updateStructOps(link: BpfLink, map: BpfMap, options: StructOpsOptions = {}): void {
  if (options.value) writeValue(map, options.value);
  const call = {
    command: 'BPF_LINK_UPDATE',
    attribute: bpf_attr_link_update,
    fields: { link_fd: link.fd.value, new_map_fd: map.fd.value },
    doing: `put map ${map.name} in the place of the one at ${link.target}`,
  } as const;
  const result = tryBpf(link.kernel, call);
  if (result < 0) throw refused(map, { call: 'BPF_LINK_UPDATE', result });
}

/**
 * Makes a program belong to a struct_ops map (Linux 7.0): kernel functions that it calls find the struct that is meant by it.
 * A program belongs to one map, and for good; struct_ops programs belong to the map that they are in anyway.
 *
 * @throws ArgumentError for a struct_ops program, and a map of another type; UnsupportedFeatureError; SyscallError, EBUSY
 * where it belongs to another map
 */
export function associateStructOps(program: BpfProgram, map: BpfMap): void {
  const doing = `make program ${program.name} belong to map ${map.name}`;
  if (program.type === BPF_PROG_TYPE_STRUCT_OPS)
    throw new ArgumentError('program', `Cannot ${doing}: it is a struct_ops program`);
  if (map.type !== BPF_MAP_TYPE_STRUCT_OPS)
    throw new ArgumentError('map', `Cannot ${doing}: that is no struct_ops map`);
  const { kernel } = program;
  const call = {
    command: 'BPF_PROG_ASSOC_STRUCT_OPS',
    attribute: bpf_attr_prog_assoc_struct_ops,
    fields: { prog_fd: program.fd.value, map_fd: map.fd.value },
    doing,
  } as const;
  const result = tryBpf(kernel, call);
  if (result >= 0) return;
  if (result === -errno.EINVAL) requireFeature(Feature.StructOpsAssociation, { doing, kernel });
  throw bpfError(call, result);
}

const KEY = new Uint8Array(4);
/** Every value begins with struct bpf_struct_ops_common_value of the kernel: a reference count, and this. */
const STATE_OFFSET = 4;
/** BPF_STRUCT_OPS_STATE_INUSE of include/linux/bpf.h, the same since Linux 5.6. */
const STATE_IN_USE = 1;

/** A struct of functions that is registered without a bpf_link. */
export class StructOpsRegistration extends Attachment {
  override readonly kind = 'struct_ops';
  override readonly via = 'prog_attach';
  override readonly id = undefined;
  readonly #map: BpfMap;
  readonly #own: Fd;

  static register(map: BpfMap, { value }: StructOpsOptions): StructOpsRegistration {
    if (value === undefined) {
      throw new ArgumentError('value', `Cannot register struct_ops map ${map.name}: its value is not given`);
    }
    writeValue(map, value);
    return new StructOpsRegistration(map);
  }

  private constructor(map: BpfMap) {
    const number = map.kernel.duplicate(map.fd.value, 3);
    const own = new Fd(map.kernel, number, `registered struct_ops map ${map.name}`);
    super(map.name);
    this.#map = map;
    this.#own = own;
  }

  /** Somebody else may delete the map's one element. */
  override get attached(): boolean {
    this.checkOpen();
    const { kernel } = this.#map;
    const value = new Uint8Array(this.#map.valueSize);
    callBpf(kernel, {
      command: 'BPF_MAP_LOOKUP_ELEM',
      attribute: bpf_attr_map_elem,
      fields: { map_fd: this.#own.value, key: kernel.addressOf(KEY), value: kernel.addressOf(value) },
      keep: [KEY, value],
      doing: `read the state of struct_ops map ${this.target}`,
    });
    return new DataView(value.buffer).getUint32(STATE_OFFSET, true) === STATE_IN_USE;
  }

  override pin(path: string): void {
    throw new ArgumentError(
      'map',
      `Cannot pin the registration of ${this.target} to ${path}: it is no bpf_link`,
      {
        hint: 'pin the map instead, or put it into the section .struct_ops.link',
      },
    );
  }

  protected override detach(): void {
    const { kernel } = this.#map;
    const call = {
      command: 'BPF_MAP_DELETE_ELEM',
      attribute: bpf_attr_map_elem,
      fields: { map_fd: this.#own.value, key: kernel.addressOf(KEY) },
      keep: [KEY],
      doing: `unregister struct_ops map ${this.target}`,
    } as const;
    const result = tryBpf(kernel, call);
    this.#own.close();
    // Somebody else has unregistered it: what still runs in it is waited for, or has ended.
    if (result < 0 && result !== -errno.ENOENT && result !== -errno.EINPROGRESS) throw bpfError(call, result);
  }

  protected override letBe(): void {
    this.#own.close();
  }
}

function writeValue(map: BpfMap, value: Uint8Array): void {
  const { kernel } = map;
  if (value.length !== map.valueSize) {
    throw new ArgumentError(
      'value',
      `Cannot write to map ${map.name}: its value must be ${String(map.valueSize)} bytes`,
    );
  }
  const call = {
    command: 'BPF_MAP_UPDATE_ELEM',
    attribute: bpf_attr_map_elem,
    fields: { map_fd: map.fd.value, key: kernel.addressOf(KEY), value: kernel.addressOf(value) },
    keep: [KEY, value],
    doing: `register struct_ops map ${map.name}`,
  } as const;
  const result = tryBpf(kernel, call);
  if (result < 0) throw refused(map, { call: 'BPF_MAP_UPDATE_ELEM', result });
}

function refused(map: BpfMap, { call, result }: { call: string; result: number }): Error {
  const doing = `attach struct_ops map ${map.name}`;
  if (result === -errno.EPERM || result === -errno.EACCES) {
    return bpfError(
      { command: call as 'BPF_LINK_CREATE', doing, needed: ['CAP_BPF', 'CAP_PERFMON'] },
      result,
    );
  }
  if (result === -errno.EINVAL) requireFeature(Feature.StructOpsLink, { doing, kernel: map.kernel });
  if (result === -errno.EEXIST || result === -errno.EBUSY) {
    return new AttachError(
      'ALREADY_ATTACHED',
      map.name,
      `Cannot ${doing}: one of that name is registered already`,
    );
  }
  const why = `the kernel refuses it with ${describeErrno(result)}`;
  return new AttachError('ATTACH_REFUSED', map.name, `Cannot ${doing}: ${why}`);
}
