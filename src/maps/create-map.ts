import { NotFoundError, SyscallError } from '../errors.ts';
import {
  capabilitiesOfMapType,
  checkInteger,
  openBpf,
  type BpfToken,
  type Fd,
  type Kernel,
} from '../sys/index.ts';
import {
  BPF_F_TOKEN_FD,
  BPF_F_VTYPE_BTF_OBJ_FD,
  bpf_attr_get_id,
  bpf_attr_map_create,
} from '../uapi/index.ts';

/** What a map is created with. Sizes in bytes. */
export interface MapOptions {
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  /** At most 15 characters of `[A-Za-z0-9_.]`; left out on kernels before 4.15. */
  readonly name?: string;
  readonly flags?: number;
  readonly numaNode?: number;
  readonly extra?: bigint;
  /** A map like the ones that a map of maps will hold. */
  readonly innerMap?: { readonly fd: Fd };
  /** The network device that a map is offloaded to. */
  readonly ifindex?: number;
  /** BTF in the kernel, and the ids of key and value in it. */
  readonly btf?: { readonly fd: Fd; readonly keyTypeId: number; readonly valueTypeId: number };
  /**
   * Of a struct_ops map: the id of its value's type in the BTF of the kernel, or of the module whose BTF the descriptor
   * is of (Linux 6.9).
   */
  readonly kernelValueType?: { readonly id: number; readonly module: number | undefined };
  /** SHA-256 of the only program that may use it, 32 bytes. Linux 6.18. */
  readonly exclusiveProgramHash?: Uint8Array;
  /** What permits it in a user namespace. Linux 6.9. */
  readonly token?: BpfToken;
}

const NUMBERS = ['type', 'keySize', 'valueSize', 'maxEntries', 'flags', 'numaNode', 'ifindex'] as const;

/** Creates a map; `name` is the full one, for messages. @throws PermissionError, SyscallError */
export function createMap(kernel: Kernel, { options, name }: { options: MapOptions; name: string }): Fd {
  const { btf, kernelValueType: valueType, exclusiveProgramHash: hash } = options;
  for (const number of NUMBERS)
    checkInteger(number, options[number] ?? 0, { minimum: 0, maximum: 0xffff_ffff });
  return openBpf(kernel, {
    command: 'BPF_MAP_CREATE',
    attribute: bpf_attr_map_create,
    fields: {
      map_type: options.type,
      key_size: options.keySize,
      value_size: options.valueSize,
      max_entries: options.maxEntries,
      map_flags: mapFlags(options),
      inner_map_fd: options.innerMap?.fd.value ?? 0,
      numa_node: options.numaNode ?? 0,
      map_name: options.name ?? '',
      map_ifindex: options.ifindex ?? 0,
      map_extra: options.extra ?? 0n,
      ...(btf && {
        btf_fd: btf.fd.value,
        btf_key_type_id: btf.keyTypeId,
        btf_value_type_id: btf.valueTypeId,
      }),
      ...(valueType && {
        btf_vmlinux_value_type_id: valueType.id,
        value_type_btf_obj_fd: valueType.module ?? 0,
      }),
      ...(hash && { excl_prog_hash: kernel.addressOf(hash), excl_prog_hash_size: hash.length }),
      ...(options.token && { map_token_fd: options.token.fd.value }),
    },
    keep: hash ? [hash] : [],
    doing: `create map ${name}`,
    needed: capabilitiesOfMapType(options.type),
    description: `map ${name}`,
  });
}

/** The caller's flags, and those that say which further descriptors there are. */
function mapFlags({ flags = 0, kernelValueType, token }: MapOptions): number {
  const ofModule = kernelValueType?.module === undefined ? 0 : BPF_F_VTYPE_BTF_OBJ_FD;
  return (flags | ofModule | (token ? BPF_F_TOKEN_FD : 0)) >>> 0;
}

/** @throws NotFoundError (MAP_NOT_FOUND), PermissionError */
export function openMapById(kernel: Kernel, id: number): Fd {
  checkInteger('id', id, { minimum: 0, maximum: 0xffff_ffff });
  try {
    return openBpf(kernel, {
      command: 'BPF_MAP_GET_FD_BY_ID',
      attribute: bpf_attr_get_id,
      fields: { map_id: id },
      doing: `open map ${id}`,
      description: `map ${id}`,
    });
  } catch (error) {
    if (!(error instanceof SyscallError && error.errnoName === 'ENOENT')) throw error;
    const message = `Cannot open map ${id}: there is no map of that id`;
    throw new NotFoundError('MAP_NOT_FOUND', String(id), message, { cause: error });
  }
}
