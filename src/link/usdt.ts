import { readFileSync } from 'node:fs';
import { ArgumentError, NotFoundError } from '../errors.ts';
import { findUsdtProbes, type UsdtProbe } from '../elf/index.ts';
import { Feature, isSupported, unsupportedFeature } from '../features/index.ts';
import type { BpfMap } from '../maps/index.ts';
import type { BpfProgram } from '../programs/index.ts';
import { BPF_PROG_TYPE_KPROBE } from '../uapi/index.ts';
import { Attachment } from './attachment.ts';
import { checkProgram } from './create-link.ts';
import type { PerfEventLink } from './perf-attachment.ts';
import { findProgramFile, withExecutable } from './program-file.ts';
import type { CookieOptions } from './tracing.ts';
import { attachUprobe } from './uprobe.ts';
import { parseUsdtArguments } from './usdt-arguments.ts';
import { addUsdtSpec, removeUsdtSpec } from './usdt-specs.ts';

/** Options of {@link attachUsdt}: the file, and the probe in it. */
export interface UsdtOptions extends CookieOptions {
  /** A program or shared library, as for {@link attachUprobe}. */
  readonly path: string;
  readonly provider: string;
  readonly name: string;
  /** A process. @default every process */
  readonly pid?: number;
  /** The maps that usdt.bpf.h declares, of the program's own object. */
  readonly maps: {
    /** `__bpf_usdt_specs` */
    readonly specs: BpfMap;
    /** `__bpf_usdt_ip_to_spec_id`, for kernels without cookies. */
    readonly instructions?: BpfMap | undefined;
  };
}

/**
 * Attaches a program to a probe that a program or library offers (USDT), at every place where it stands. The program is
 * told that somebody listens, by its semaphore, where it has one.
 *
 * Linux 4.20; before 5.15 only for programs that are not position independent, or for one process. Needs what
 * attachUprobe() needs.
 *
 * @throws FileError, ElfError for the file; NotFoundError (SYMBOL_NOT_FOUND) where it has no such probe; ArgumentError
 * where the maps are full; UnsupportedFeatureError, PermissionError
 *
 * @example
 * using link = attachUsdt(collection.program('on_query'), {
 *   path: '/usr/lib/postgresql/17/bin/postgres', provider: 'postgresql', name: 'query__start',
 *   maps: { specs: collection.map('__bpf_usdt_specs') },
 * });
 */
export function attachUsdt(program: BpfProgram, options: UsdtOptions): UsdtAttachment {
  const { provider, name, cookie = 0n } = options;
  checkProgram(program, { types: [BPF_PROG_TYPE_KPROBE], target: `${provider}:${name}` });
  const path = findProgramFile(options.path);
  const found = withExecutable(path, (file) => ({
    probes: findUsdtProbes(file, { provider, name }),
    moves: file.positionIndependent,
  }));
  if (found.probes.length === 0) {
    throw new NotFoundError(
      'SYMBOL_NOT_FOUND',
      `${provider}:${name}`,
      `Cannot attach ${program.name} to ${provider}:${name}: ${path} offers no such probe`,
    );
  }
  const withCookies = isSupported(Feature.PerfEventLink, { kernel: program.kernel });
  const undo: (() => void)[] = [];
  try {
    for (const probe of found.probes) {
      undo.push(attachOne(program, { path, probe, cookie, options, withCookies, moves: found.moves }));
    }
    return new UsdtAttachment(`${path}:${provider}:${name}`, undo);
  } catch (error) {
    for (const step of undo.toReversed()) step();
    throw error;
  }
}

/** Returns what detaches it again. */
function attachOne(
  program: BpfProgram,
  facts: {
    path: string;
    probe: UsdtProbe;
    cookie: bigint;
    options: UsdtOptions;
    withCookies: boolean;
    moves: boolean;
  },
): () => void {
  const { path, probe, cookie, options, withCookies } = facts;
  const { specs, instructions } = options.maps;
  const id = addUsdtSpec(specs, { arguments: parseUsdtArguments(probe.arguments), cookie });
  let forget = (): void => undefined;
  let link: PerfEventLink;
  try {
    if (!withCookies) forget = noteInstruction(program, { ...facts, id, instructions });
    link = attachUprobe(program, {
      path,
      offset: BigInt(probe.offset),
      semaphoreOffset: BigInt(probe.semaphoreOffset),
      ...(options.pid !== undefined && { pid: options.pid }),
      ...(withCookies && { cookie: BigInt(id) }),
    });
  } catch (error) {
    forget();
    removeUsdtSpec(specs, id);
    throw error;
  }
  const attached = link;
  return () => {
    attached.close();
    forget();
    if (!specs.closed) removeUsdtSpec(specs, id);
  };
}

/** Without cookies the program finds its spec by the address of the instruction, which must be known beforehand. */
function noteInstruction(
  program: BpfProgram,
  facts: {
    path: string;
    probe: UsdtProbe;
    options: UsdtOptions;
    moves: boolean;
    id: number;
    instructions: BpfMap | undefined;
  },
): () => void {
  const { path, probe, options, moves, id, instructions } = facts;
  if (!instructions) {
    throw new ArgumentError(
      'maps',
      `Cannot attach ${program.name}: this kernel has no cookies, and needs "instructions"`,
    );
  }
  const { pid } = options;
  if (moves && pid === undefined) {
    throw unsupportedFeature(Feature.PerfEventLink, {
      doing: `attach ${program.name} to ${path} in every process`,
      hint: 'name one process',
    });
  }
  const address = moves ? addressIn(pid ?? 0, { path, offset: probe.offset }) : BigInt(probe.address);
  instructions.set(address, id);
  return () => {
    if (!instructions.closed) instructions.delete(address);
  };
}

/** Where a process has a byte of a file. @throws NotFoundError where it has not loaded it */
function addressIn(pid: number, { path, offset }: { path: string; offset: number }): bigint {
  const address = addressInMaps(readFileSync(`/proc/${String(pid)}/maps`, 'utf8'), { path, offset });
  if (address !== undefined) return address;
  throw new NotFoundError(
    'SYMBOL_NOT_FOUND',
    path,
    `Cannot find ${path} in process ${String(pid)}: it has not loaded it`,
  );
}

/** Where a byte of a file is by the text of /proc/PID/maps; undefined where the file is not, or not there. */
export function addressInMaps(
  text: string,
  { path, offset }: { path: string; offset: number },
): bigint | undefined {
  for (const line of text.split('\n')) {
    const match = /^([0-9a-f]+)-([0-9a-f]+) ..x. ([0-9a-f]+) \S+ \d+\s+(.*)$/.exec(line);
    if (match?.[4] !== path) continue;
    const [start, end, from] = match.slice(1, 4).map((text) => BigInt(`0x${text}`)) as [
      bigint,
      bigint,
      bigint,
    ];
    const address = start + BigInt(offset) - from;
    if (address >= start && address < end) return address;
  }
  return undefined;
}

/** A program at every place of a USDT probe. */
export class UsdtAttachment extends Attachment {
  override readonly kind = 'usdt';
  override readonly via = 'perf_event';
  override readonly id = undefined;
  readonly #undo: readonly (() => void)[];

  constructor(target: string, undo: readonly (() => void)[]) {
    super(target);
    this.#undo = undo;
  }

  /** Nobody else can take a program off a probe. */
  override get attached(): boolean {
    this.checkOpen();
    return true;
  }

  override pin(path: string): void {
    throw new ArgumentError(
      'path',
      `Cannot pin the attachment to ${this.target} to ${path}: it is of several links`,
    );
  }

  protected override detach(): void {
    for (const step of this.#undo.toReversed()) step();
  }

  protected override letBe(): void {
    this.detach();
  }
}
