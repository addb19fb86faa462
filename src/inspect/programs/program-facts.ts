import { readFileSync } from 'node:fs';
import { clockGettime, errno, readInfo, type Fd, type Kernel } from '../../sys/index.ts';
import { bpf_prog_info } from '../../uapi/index.ts';
import { fullProgramName, mapObjects } from '../objects/index.ts';

/** Everything the kernel tells of a loaded program. Sizes in bytes. */
export interface ProgramFacts {
  readonly id: number;
  /** `BPF_PROG_TYPE_*`. */
  readonly type: number;
  /** In full where its BTF has it; otherwise the first 15 characters. */
  readonly name: string;
  /** SHA-1 of the instructions, cut to 8 bytes, as hex. */
  readonly tag: string;
  readonly gplCompatible: boolean;
  /** Nanoseconds and runs, counted only while statistics are switched on. */
  readonly runTime: bigint;
  readonly runCount: bigint;
  /** Runs that did not happen because the program was running already. */
  readonly recursionMisses: bigint;
  /** The device that it is bound to or offloaded to. */
  readonly device: OffloadDevice | undefined;
  /** Nanoseconds since boot; 0n before Linux 4.15. */
  readonly loadTime: bigint;
  /** Seconds since 1970; undefined before Linux 4.15. */
  readonly loadedAt: number | undefined;
  readonly userId: number;
  /** Its device is gone. */
  readonly orphaned: boolean;
  readonly translatedSize: number;
  /** 0 where it is interpreted. */
  readonly jitedSize: number;
  /** What it counts towards limits with; undefined where /proc is not mounted. */
  readonly lockedMemory: number | undefined;
  readonly mapIds: readonly number[];
  /** 0 for none. */
  readonly btfId: number;
  readonly verifiedInstructions: number;
  /** The BTF and the function in it that it is loaded for; 0 for none. */
  readonly attachBtfObjectId: number;
  readonly attachBtfId: number;
}

/** The network device that a program is offloaded to or bound to. */
export interface OffloadDevice {
  readonly ifindex: number;
  readonly namespaceDevice: bigint;
  readonly namespaceInode: bigint;
}

const NANOSECONDS = 1_000_000_000n;

/** Every program in the kernel, by id. Needs CAP_SYS_ADMIN. Linux 4.13. @throws PermissionError, SyscallError */
export function listPrograms(kernel: Kernel): ProgramFacts[] {
  return mapObjects(kernel, 'program', (fd) => readProgramFacts(kernel, fd));
}

/** @throws PermissionError, SyscallError, BtfError */
export function readProgramFacts(kernel: Kernel, fd: Fd): ProgramFacts {
  const file = readDescriptorInfo(fd);
  const memory = file.get('memlock');
  const info = infoUnlessOrphaned(kernel, fd);
  const orphaned = info === undefined;
  // The kernel gives nothing about a program whose device went away (bpf_prog_offload_info_fill() of kernel/bpf/offload.c).
  const known = info ?? bpf_prog_info.decode(new Uint8Array(bpf_prog_info.size));
  return {
    id: orphaned ? Number(file.get('prog_id') ?? 0) : known.id,
    type: orphaned ? Number(file.get('prog_type') ?? 0) : known.type,
    name: orphaned ? '' : fullProgramName(kernel, fd),
    tag: orphaned ? (file.get('prog_tag') ?? '') : Buffer.from(known.tag).toString('hex'),
    gplCompatible: (known.gpl_compatible & 1) !== 0,
    runTime: known.run_time_ns,
    runCount: known.run_cnt,
    recursionMisses: known.recursion_misses,
    device: known.ifindex === 0 ? undefined : deviceOf(known),
    loadTime: known.load_time,
    loadedAt: known.load_time === 0n ? undefined : wallClockSeconds(known.load_time),
    userId: known.created_by_uid,
    orphaned,
    translatedSize: known.xlated_prog_len,
    jitedSize: known.jited_prog_len,
    lockedMemory: memory === undefined ? undefined : Number(memory),
    mapIds: readMapIds(kernel, { fd, count: known.nr_map_ids }),
    btfId: known.btf_id,
    verifiedInstructions: known.verified_insns,
    attachBtfObjectId: known.attach_btf_obj_id,
    attachBtfId: known.attach_btf_id,
  };
}

function infoUnlessOrphaned(kernel: Kernel, fd: Fd): bpf_prog_info | undefined {
  try {
    return readInfo(kernel, { fd, descriptor: bpf_prog_info });
  } catch (error) {
    if ((error as { errno?: number }).errno === errno.ENODEV) return undefined;
    throw error;
  }
}

function deviceOf(info: bpf_prog_info): OffloadDevice {
  return { ifindex: info.ifindex, namespaceDevice: info.netns_dev, namespaceInode: info.netns_ino };
}

/** The ids of the maps that a program uses. */
export function readMapIds(kernel: Kernel, { fd, count }: { fd: Fd; count: number }): number[] {
  if (count === 0) return [];
  const ids = new Uint8Array(count * 4);
  const { nr_map_ids } = readInfo(kernel, {
    fd,
    descriptor: bpf_prog_info,
    fields: { nr_map_ids: count, map_ids: kernel.addressOf(ids) },
    keep: [ids],
  });
  const view = new DataView(ids.buffer);
  return Array.from({ length: Math.min(count, nr_map_ids) }, (_, index) => view.getUint32(index * 4, true));
}

/** The kernel keeps the time since boot, with the time asleep; seconds as bpftool rounds them. */
function wallClockSeconds(sinceBoot: bigint): number {
  return Number((clockGettime('realtime') - clockGettime('boottime') + sinceBoot) / NANOSECONDS);
}

/** `memlock`, `prog_id`, … of /proc; empty where that is not mounted. */
function readDescriptorInfo(fd: Fd): ReadonlyMap<string, string> {
  try {
    const text = readFileSync(`/proc/self/fdinfo/${String(fd.value)}`, 'latin1');
    return new Map(
      text.split('\n').flatMap((line) => {
        const at = line.indexOf(':');
        return at < 0 ? [] : [[line.slice(0, at), line.slice(at + 1).trim()] as const];
      }),
    );
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return new Map();
  }
}
