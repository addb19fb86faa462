import { array, struct, u32, u8 } from '../binary/index.ts';
import { BPF_F_XDP_HAS_FRAGS } from '../uapi/index.ts';

/** How many programs fit on one interface. */
export const DISPATCHER_SLOTS = 10;

/** Versions of the protocol, which are those of the dispatcher's configuration. */
export type DispatcherVersion = 1 | 2;

/** Marks a configuration since version 2; a first byte of version 1 counts programs, so it is 10 at most. */
const MAGIC = 236;
/** What an empty slot returns. Its bit is set for every slot, so that one whose program goes away does not end the chain. */
const EMPTY_SLOT_BIT = 0x8000_0000;

const versionOne = struct('xdp_dispatcher_config', {
  num_progs_enabled: u8,
  chain_call_actions: array(u32, DISPATCHER_SLOTS),
  run_prios: array(u32, DISPATCHER_SLOTS),
});
const versionTwo = struct('xdp_dispatcher_config', {
  magic: u8,
  dispatcher_version: u8,
  num_progs_enabled: u8,
  is_xdp_frags: u8,
  chain_call_actions: array(u32, DISPATCHER_SLOTS),
  run_prios: array(u32, DISPATCHER_SLOTS),
  program_flags: array(u32, DISPATCHER_SLOTS),
});

/** How one program takes its turn. */
export interface SlotSettings {
  /** Lower runs earlier. */
  readonly priority: number;
  /** A bit for each `XDP_*` after which the next program runs; another result is the dispatcher's. */
  readonly chainCallActions: number;
  /** Whether the program takes packets of several buffers. */
  readonly frags: boolean;
}

export interface DispatcherConfiguration {
  readonly version: DispatcherVersion;
  /** Whether the dispatcher itself takes packets of several buffers; version 2. */
  readonly frags: boolean;
  /** In the order in which they run. */
  readonly slots: readonly SlotSettings[];
}

/** The contents of the dispatcher's `.rodata`. */
export function encodeConfiguration({ version, frags, slots }: DispatcherConfiguration): Uint8Array {
  const inSlots = (value: (slot: SlotSettings) => number): number[] =>
    Array.from({ length: DISPATCHER_SLOTS }, (_, index) => {
      const slot = slots[index];
      return slot ? value(slot) : 0;
    });
  const common = {
    num_progs_enabled: slots.length,
    chain_call_actions: inSlots(({ chainCallActions }) => (chainCallActions | EMPTY_SLOT_BIT) >>> 0),
    run_prios: inSlots(({ priority }) => priority),
  };
  if (version === 1) return versionOne.encode(common);
  return versionTwo.encode({
    ...common,
    magic: MAGIC,
    dispatcher_version: version,
    is_xdp_frags: frags ? 1 : 0,
    program_flags: inSlots((slot) => (slot.frags ? BPF_F_XDP_HAS_FRAGS : 0)),
  });
}

/** What the configuration of somebody's dispatcher says; the bare version where it is none that is known here. */
export function decodeConfiguration(
  contents: Uint8Array,
): DispatcherConfiguration | { readonly unknownVersion: number } | undefined {
  const [magic, version] = contents;
  if (magic === MAGIC && version !== 2) return { unknownVersion: version ?? 0 };
  if (magic === MAGIC) return contents.length === versionTwo.size ? decodeTwo(contents) : undefined;
  return contents.length === versionOne.size ? decodeOne(contents) : undefined;
}

function decodeTwo(contents: Uint8Array): DispatcherConfiguration {
  const fields = versionTwo.decode(contents);
  const slots = slotsOf(fields).map((slot, index) => ({
    ...slot,
    frags: ((fields.program_flags[index] ?? 0) & BPF_F_XDP_HAS_FRAGS) !== 0,
  }));
  return { version: 2, frags: fields.is_xdp_frags !== 0, slots };
}

function decodeOne(contents: Uint8Array): DispatcherConfiguration {
  return { version: 1, frags: false, slots: slotsOf(versionOne.decode(contents)) };
}

function slotsOf(fields: {
  num_progs_enabled: number;
  chain_call_actions: readonly number[];
  run_prios: readonly number[];
}): SlotSettings[] {
  const used = Math.min(fields.num_progs_enabled, DISPATCHER_SLOTS);
  return Array.from({ length: used }, (_, index) => ({
    priority: fields.run_prios[index] ?? 0,
    chainCallActions: ((fields.chain_call_actions[index] ?? 0) & ~EMPTY_SLOT_BIT) >>> 0,
    frags: false,
  }));
}
