import { ObjectError, SyscallError } from '../errors.ts';
import { createCodec, sizeOf, type Btf } from '../btf/index.ts';
import type { MapSpec, ObjectFile } from '../elf/index.ts';
import { Feature, requireFeature } from '../features/index.ts';
import { arenaMemory, BpfMap, MapType, type MapTypes } from '../maps/index.ts';
import type { BpfToken, Fd, Kernel } from '../sys/index.ts';
import { BPF_F_SEGV_ON_FAULT } from '../uapi/index.ts';
import type { KernelStructOps } from './struct-ops.ts';
import { dataMapName, kernelObjectName } from './kernel-names.ts';
import { requireMapType } from './missing-map-type.ts';

/** The types of maps that the kernel refuses BTF for (map_create_check_btf; libbpf clears it for the same ones). */
const WITHOUT_BTF: ReadonlySet<number> = new Set([
  MapType.PerfEventArray,
  MapType.CgroupArray,
  MapType.StackTrace,
  MapType.ArrayOfMaps,
  MapType.HashOfMaps,
  MapType.DevMap,
  MapType.DevMapHash,
  MapType.CpuMap,
  MapType.XskMap,
  MapType.SockMap,
  MapType.SockHash,
  MapType.Queue,
  MapType.Stack,
  MapType.RingBuffer,
  MapType.UserRingBuffer,
  MapType.Arena,
  MapType.ProgramArray,
  MapType.ReuseportSockArray,
]);

export interface CreateMapContext {
  readonly object: ObjectFile;
  readonly btf: Fd | undefined;
  readonly kernel: Kernel;
  /** Gets what was left out because the kernel would not have it. */
  readonly warn?: (text: string) => void;
  /** Of a struct_ops map: what {@link translateStructOps} says, and the descriptor of the module's BTF. */
  readonly structOps?: { readonly types: KernelStructOps; readonly module: number | undefined } | undefined;
  readonly token?: BpfToken | undefined;
  /** Of the only program that may use it. */
  readonly exclusiveProgramHash?: Uint8Array | undefined;
}

/** Creates the map of a spec, filled and frozen where the spec says so. */
export function createMap(spec: MapSpec, context: CreateMapContext): BpfMap {
  const inner = spec.inner && createMap(spec.inner, { ...context, exclusiveProgramHash: undefined });
  let map: BpfMap | undefined;
  try {
    map = create(spec, { ...context, inner });
    fill(map, spec);
    return map;
  } catch (error) {
    map?.close();
    throw error;
  } finally {
    inner?.close();
  }
}

function create(spec: MapSpec, context: CreateMapContext & { inner: BpfMap | undefined }): BpfMap {
  try {
    return createAsSpecified(spec, context);
  } catch (error) {
    const untyped = createUntyped(spec, { ...context, error });
    if (untyped) return untyped;
    const doing = `create map ${spec.name}`;
    if (context.exclusiveProgramHash && error instanceof SyscallError && REFUSED_FIELD.has(error.errnoName))
      requireFeature(Feature.ExclusiveMaps, { doing, kernel: context.kernel });
    if (error instanceof SyscallError && error.errnoName === 'EINVAL') {
      const what = spec.type === MapType.RingBuffer ? 'ring buffer' : 'map';
      const { type, flags } = spec;
      requireMapType(context.kernel, { type, flags, doing: `create ${what} ${spec.name}` });
    }
    throw error;
  }
}

/** How a kernel refuses a field that it does not know: bpf_check_uarg_tail_zero() in kernel/bpf/syscall.c. */
const REFUSED_FIELD: ReadonlySet<string> = new Set(['EINVAL', 'E2BIG']);

/** How a kernel refuses the types of a map: map_check_btf() and the map_check_btf operations in kernel/bpf. */
const REFUSED_TYPES: ReadonlySet<string> = new Set(['EINVAL', 'ENOTSUPP', 'EOPNOTSUPP', 'E2BIG']);

/** Without types in the kernel, which only what shows the map from outside needs; libbpf tries the same. */
function createUntyped(
  spec: MapSpec,
  context: CreateMapContext & { inner: BpfMap | undefined; error: unknown },
): BpfMap | undefined {
  const { error, btf, structOps, warn } = context;
  if (!btf || structOps || !(error instanceof SyscallError) || !REFUSED_TYPES.has(error.errnoName)) {
    return undefined;
  }
  if (!typesOf(spec, context.object) || WITHOUT_BTF.has(spec.type)) return undefined;
  try {
    const map = createAsSpecified(spec, { ...context, btf: undefined });
    warn?.(`map ${spec.name} has no types in the kernel, which refuses them with ${error.errnoName}`);
    return map;
  } catch (second) {
    // The types were not the reason; what they met first is told.
    if (second instanceof SyscallError) return undefined;
    throw second;
  }
}

function createAsSpecified(
  spec: MapSpec,
  {
    object,
    btf,
    kernel,
    inner,
    structOps,
    token,
    exclusiveProgramHash,
  }: CreateMapContext & { inner: BpfMap | undefined },
): BpfMap {
  const types = typesOf(spec, object);
  const inKernel = btf && types && !WITHOUT_BTF.has(spec.type) && !hasMoreThanTypes(spec, types);
  return BpfMap.create(
    {
      type: spec.type,
      keySize: spec.keySize,
      valueSize: structOps?.types.valueSize ?? spec.valueSize,
      maxEntries: maxEntriesOf(spec, kernel),
      flags: spec.flags,
      extra: spec.extra,
      name:
        spec.definition.kind === 'data' ? dataMapName(object.name, spec.name) : kernelObjectName(spec.name),
      ...(spec.numaNode !== undefined && { numaNode: spec.numaNode }),
      ...(inner && { innerMap: inner }),
      ...(token && { token }),
      ...(exclusiveProgramHash && { exclusiveProgramHash }),
      ...(structOps &&
        btf && {
          btf: { fd: btf, keyTypeId: 0, valueTypeId: 0 },
          kernelValueType: { id: structOps.types.valueTypeId, module: structOps.module },
        }),
      ...(inKernel && {
        btf: { fd: btf, keyTypeId: types.keyTypeId, valueTypeId: types.valueTypeId },
      }),
    },
    // A data section has one value of no type that could be read as a whole: its variables are read one by one.
    { name: spec.name, kernel, ...(types && spec.definition.kind !== 'data' && { types }) },
  );
}

/**
 * A size that was changed before loading leaves the map without types, as bpf_map__set_value_size() does; but what is larger
 * than a type that ends in a flexible array has its elements.
 */
export function typesOf(spec: MapSpec, object: ObjectFile): MapTypes | undefined {
  const { btf } = object;
  const { keyTypeId, valueTypeId } = spec;
  if (!btf || (keyTypeId === 0 && valueTypeId === 0)) return undefined;
  if (spec.definition.kind !== 'data') {
    if (keyTypeId !== 0 && !fits(btf, keyTypeId, spec.keySize)) return undefined;
    if (valueTypeId !== 0 && !fits(btf, valueTypeId, spec.valueSize)) return undefined;
  }
  return { btf, keyTypeId, valueTypeId };
}

function fits(btf: Btf, typeId: number, size: number): boolean {
  const own = sizeOf(btf, typeId);
  return size === own || (size > own && createCodec(btf, typeId).flexible !== undefined);
}

/** The kernel knows no other size than the type's: map_check_btf() in kernel/bpf/syscall.c. */
function hasMoreThanTypes(spec: MapSpec, { btf, keyTypeId, valueTypeId }: MapTypes): boolean {
  if (spec.definition.kind === 'data') return false;
  const { keySize, valueSize } = spec;
  return (
    (keyTypeId !== 0 && keySize > sizeOf(btf, keyTypeId)) ||
    (valueTypeId !== 0 && valueSize > sizeOf(btf, valueTypeId))
  );
}

/** A ring buffer's size must be a power of two and whole pages; a perf array left open gets one slot per CPU. */
export function maxEntriesOf(spec: MapSpec, kernel: Kernel): number {
  if (spec.type === MapType.PerfEventArray && spec.maxEntries === 0) return kernel.possibleCpus();
  if (spec.type !== MapType.RingBuffer && spec.type !== MapType.UserRingBuffer) return spec.maxEntries;
  if (spec.maxEntries === 0) {
    throw new ObjectError('OBJECT_INVALID', `Cannot create ring buffer ${spec.name}: its max_entries is 0`, {
      hint: `set it before loading, to a power of two of at least ${kernel.pageSize}`,
    });
  }
  let size = kernel.pageSize;
  while (size < spec.maxEntries) size *= 2;
  return size;
}

function fill(map: BpfMap, spec: MapSpec): void {
  if (spec.type === MapType.Arena) {
    fillArena(map, spec);
    return;
  }
  if (spec.contents && spec.contents.some((byte) => byte !== 0)) {
    map.setBytes(new Uint8Array(spec.keySize), spec.contents);
  }
  if (spec.freeze) map.freeze();
}

function fillArena(map: BpfMap, { name, contents, definition, flags }: MapSpec): void {
  if (!contents) return;
  if (flags & BPF_F_SEGV_ON_FAULT) {
    throw new ObjectError(
      'OBJECT_INVALID',
      `Cannot create arena ${name}: its variables need pages, and with BPF_F_SEGV_ON_FAULT only programs allocate them`,
      { section: definition.section },
    );
  }
  const memory = arenaMemory(map);
  if (contents.length > memory.length) {
    throw new ObjectError(
      'OBJECT_INVALID',
      `Cannot create arena ${name}: its ${contents.length} bytes of variables do not fit into its ${memory.length}`,
      { section: definition.section, hint: 'raise its max_entries, which counts pages' },
    );
  }
  memory.write(0, contents);
}
