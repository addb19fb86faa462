/** A map of an object, as it will be created. The fields that are not `readonly` may be changed until then. */
export interface MapSpec {
  readonly name: string;
  /** `BPF_MAP_TYPE_*`. */
  type: number;
  /** Bytes. */
  keySize: number;
  /** Bytes. Of a per-CPU map: of one CPU's value. */
  valueSize: number;
  maxEntries: number;
  /** `BPF_F_*`. */
  flags: number;
  numaNode: number | undefined;
  /** `map_extra` of `BPF_MAP_CREATE`, Linux 5.16. */
  extra: bigint;
  /** `LIBBPF_PIN_BY_NAME`: shared by a pin of its own name in the directory that loading pins to (`pinRoot`). */
  pinByName: boolean;
  /** Shared by this pin instead, in a bpf file system, whether or not `pinByName`. As bpf_map__set_pin_path(). */
  pinPath: string | undefined;
  /** BTF type ids of the object's BTF; 0 where unknown. */
  readonly keyTypeId: number;
  readonly valueTypeId: number;
  /** Where the map stands in the file. */
  readonly definition: MapDefinition;
  /** What each inner map of a map of maps looks like. */
  readonly inner: MapSpec | undefined;
  /** What the object itself puts into a map of maps or a program array: index to the name of a map or program. */
  readonly initialSlots: readonly InitialSlot[];
  /**
   * Whether it is created at all. Maps of a section `?.struct_ops` start with false. What refers to a map that was left
   * out is refused by the verifier, should it be reachable.
   */
  autocreate: boolean;
  /** Of a struct_ops map only. */
  readonly structOps: StructOpsDefinition | undefined;
  /** First contents: the bytes of a data section, which may be changed until the map is created; zeros where undefined. */
  contents: Uint8Array | undefined;
  /**
   * The name of the only program that may use it, loaded as it is in this object (`excl_prog_hash`, Linux 6.18); a map
   * that exists already stays what it is. As bpf_map__set_exclusive_program().
   */
  exclusiveProgram: string | undefined;
  /** Made read-only for user space once filled (`BPF_MAP_FREEZE`, Linux 5.2), as `.rodata` is. */
  freeze: boolean;
}

export interface MapDefinition {
  readonly kind: 'btf' | 'legacy' | 'data' | 'inner' | 'struct_ops';
  readonly sectionIndex: number;
  /** Bytes from the start of the section. */
  readonly offset: number;
  readonly section: string;
}

export interface InitialSlot {
  readonly index: number;
  readonly target: string;
}

/** What a struct_ops map is made of: a struct of the kernel's, in the object's own words. */
export interface StructOpsDefinition {
  /** The struct in the object's BTF: `tcp_congestion_ops`, or a flavour of it. */
  readonly typeId: number;
  /** Its bytes as the object initialises them; pointers to programs are zero. May be changed before loading. */
  readonly contents: Uint8Array;
  /** Index of a member to the name of the program that implements it. */
  readonly programs: ReadonlyMap<number, string>;
}

/** A map without anything special, to be completed. */
export function emptyMapSpec(name: string, definition: MapDefinition, { valueTypeId = 0 } = {}): MapSpec {
  return {
    name,
    type: 0,
    keySize: 0,
    valueSize: 0,
    maxEntries: 0,
    flags: 0,
    numaNode: undefined,
    extra: 0n,
    pinByName: false,
    pinPath: undefined,
    keyTypeId: 0,
    valueTypeId,
    definition,
    inner: undefined,
    initialSlots: [],
    autocreate: true,
    structOps: undefined,
    contents: undefined,
    exclusiveProgram: undefined,
    freeze: false,
  };
}
