import { AttachError } from '../errors.ts';
import { XDP_MODES, type XdpMode } from '../link/index.ts';
import { BpfMap } from '../maps/index.ts';
import type { NetworkInterface } from '../netlink/index.ts';
import { BpfProgram, readProgramBtf } from '../programs/index.ts';
import { readInfo } from '../sys/index.ts';
import { bpf_prog_info } from '../uapi/index.ts';
import { describeComponent, type Component } from './component.ts';
import { decodeConfiguration, type DispatcherConfiguration } from './configuration.ts';
import { DISPATCHER_PROGRAM } from './dispatcher-object.ts';
import { arePinned, slotPath, type DispatcherPlace } from './pins.ts';

/** What is on an interface: a dispatcher with its programs, whoever made it, or a program that is none. */
export type Installed = InstalledDispatcher | OtherProgram;

export interface OtherProgram {
  readonly kind: 'other';
  readonly mode: XdpMode;
  readonly programId: number;
}

/** Owns its handles. */
export class InstalledDispatcher {
  readonly kind = 'dispatcher';
  readonly mode: XdpMode;
  readonly place: DispatcherPlace;
  readonly program: BpfProgram;
  readonly configuration: DispatcherConfiguration;
  /** In the order in which they run. */
  readonly components: readonly Component[];

  constructor(facts: {
    mode: XdpMode;
    place: DispatcherPlace;
    program: BpfProgram;
    configuration: DispatcherConfiguration;
    components: readonly Component[];
  }) {
    this.mode = facts.mode;
    this.place = facts.place;
    this.program = facts.program;
    this.configuration = facts.configuration;
    this.components = facts.components;
  }

  close(): void {
    for (const { program } of this.components) program.close();
    this.program.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Whether a dispatcher may be there, by the name of the program: told without a lock, which leaves a directory behind. */
export function mayBeDispatcher({ xdp }: NetworkInterface): boolean {
  const id = XDP_MODES.map((mode) => xdp.programs[mode]).find((one) => one !== undefined);
  if (id === undefined) return false;
  using program = BpfProgram.fromId(id);
  return program.name === DISPATCHER_PROGRAM;
}

/**
 * Reads what is attached to an interface, by the kernel's word and the pins. Needs CAP_SYS_ADMIN; the caller holds the
 * lock.
 *
 * @throws AttachError (ATTACH_REFUSED) for a dispatcher of a version that is not known
 */
export function openInstalled(device: NetworkInterface): Installed | undefined {
  const mode = XDP_MODES.find((one) => device.xdp.programs[one] !== undefined);
  const programId = mode && device.xdp.programs[mode];
  if (mode === undefined || programId === undefined) return undefined;
  const program = BpfProgram.fromId(programId);
  let installed: InstalledDispatcher | undefined;
  try {
    const configuration = readConfiguration(program, device);
    if (!configuration) return { kind: 'other', mode, programId };
    const place = { ifindex: device.index, dispatcherId: programId };
    // Its programs are nowhere to be had then, as for libxdp.
    if (!arePinned(place)) return { kind: 'other', mode, programId };
    const components = openComponents(place, configuration);
    installed = new InstalledDispatcher({ mode, place, program, configuration, components });
    return installed;
  } finally {
    if (!installed) program.close();
  }
}

function openComponents(place: DispatcherPlace, { slots }: DispatcherConfiguration): Component[] {
  const opened: BpfProgram[] = [];
  try {
    return slots.map((settings, slot) => {
      const program = BpfProgram.fromPin(slotPath(place, { slot, kind: 'prog' }));
      opened.push(program);
      return describeComponent(program, { settings, installed: true });
    });
  } catch (error) {
    for (const program of opened) program.close();
    throw error;
  }
}

/** Undefined for a program that is no dispatcher: by its name, its one map, and what that holds. */
function readConfiguration(
  program: BpfProgram,
  device: NetworkInterface,
): DispatcherConfiguration | undefined {
  const { kernel, fd } = program;
  if (program.name !== DISPATCHER_PROGRAM) return undefined;
  const ids = new Uint32Array(1);
  const bytes = new Uint8Array(ids.buffer);
  const info = readInfo(kernel, {
    fd,
    descriptor: bpf_prog_info,
    fields: { nr_map_ids: 1, map_ids: kernel.addressOf(bytes) },
    keep: [bytes],
  });
  if (info.nr_map_ids !== 1) return undefined;
  using map = BpfMap.fromId(ids[0] ?? 0);
  const contents = map.keySize === 4 ? map.getBytes(new Uint8Array(4)) : undefined;
  const configuration = contents && decodeConfiguration(contents);
  if (configuration === undefined) return undefined;
  if ('unknownVersion' in configuration) throw unknownVersion(device, configuration.unknownVersion);
  // Version 1 has no mark in its configuration, only this variable in its types.
  const marked =
    configuration.version > 1 || readProgramBtf(program)?.find('dispatcher_version') !== undefined;
  return marked ? configuration : undefined;
}

function unknownVersion({ name }: NetworkInterface, version: number): AttachError {
  return new AttachError(
    'ATTACH_REFUSED',
    name,
    `Cannot change the XDP dispatcher on ${name}: it is of version ${String(version)}, and ts-xdp knows 1 and 2`,
    { hint: 'use the tool that attached it' },
  );
}
