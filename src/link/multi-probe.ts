import { ArgumentError, NotFoundError } from '../errors.ts';
import { findFunctions } from '../elf/index.ts';
import { Feature } from '../features/index.ts';
import type { BpfProgram } from '../programs/index.ts';
import { checkInteger } from '../sys/index.ts';
import * as uapi from '../uapi/index.ts';
import type { BpfLink } from './bpf-link-attachment.ts';
import { checkProgram, createLink } from './create-link.ts';
import { findProgramFile, functionOffset, withExecutable } from './program-file.ts';
import { matchesPattern } from './name-pattern.ts';
import { readTracefs } from './tracefs.ts';

/** Options of {@link attachKprobeMulti}. */
export interface KprobeMultiOptions {
  /** Names, or one pattern with `*` and `?` over all functions that may be traced. */
  readonly functions: readonly string[] | string;
  /** One for each name; not with a pattern. @default none */
  readonly cookies?: readonly bigint[];
  /** Run when the functions return. @default false */
  readonly onReturn?: boolean;
}

/**
 * Attaches a program to many functions of the kernel at once.
 *
 * Linux 5.18 with CONFIG_FPROBE, `kprobe.session` 6.10. Needs CAP_PERFMON, and a mounted tracefs for a pattern. Names
 * that the kernel lacks make the whole fail.
 *
 * @throws NotFoundError (SYMBOL_NOT_FOUND); FileError where tracefs is not mounted; UnsupportedFeatureError,
 * PermissionError
 */
export function attachKprobeMulti(program: BpfProgram, options: KprobeMultiOptions): BpfLink {
  const { cookies, onReturn = false } = options;
  const pattern = typeof options.functions === 'string' ? options.functions : undefined;
  const target = pattern ?? list(options.functions as readonly string[]);
  checkProgram(program, { types: [uapi.BPF_PROG_TYPE_KPROBE], target });
  const functions =
    typeof options.functions === 'string'
      ? traceableFunctions(options.functions, `attach ${program.name} to ${target}`)
      : options.functions;
  checkCookies({ cookies, count: functions.length, pattern });
  const { kernel } = program;
  const kind = kindOf(program, kprobes);
  const names = functions.map((name) => new TextEncoder().encode(`${name}\0`));
  const addresses = bytesOf(names.map((name) => kernel.addressOf(name)));
  const cookieBytes = bytesOf(cookies ?? []);
  return createLink(program, {
    kind: 'kprobe_multi',
    target,
    needed: ['CAP_PERFMON'],
    feature: kind.feature,
    hint: 'attach to one function at a time: attachKprobe()',
    reasons: {
      ESRCH: 'the kernel lacks one of these functions',
      ENOENT: 'the kernel lacks one of these functions',
      EINVAL: 'one of these functions may not be traced',
    },
    fields: {
      attach_type: kind.attachType,
      kprobe_multi: {
        flags: onReturn ? uapi.BPF_F_KPROBE_MULTI_RETURN : 0,
        cnt: functions.length,
        syms: kernel.addressOf(addresses),
        addrs: 0n,
        cookies: kernel.addressOf(cookieBytes),
      },
    },
    keep: [...names, addresses, cookieBytes],
  });
}

/** Options of {@link attachUprobeMulti}. */
export interface UprobeMultiOptions {
  /** A program or shared library, as for {@link attachUprobe}. */
  readonly path: string;
  /** Names, or one pattern with `*` and `?` over all functions of the file; not with `offsets`. */
  readonly functions?: readonly string[] | string;
  /** Bytes from the start of the file. */
  readonly offsets?: readonly bigint[];
  /** One for each place; not with a pattern. @default none */
  readonly cookies?: readonly bigint[];
  /** Where the counter of listeners of each place is. @default none */
  readonly semaphoreOffsets?: readonly bigint[];
  /** Run when the functions return. @default false */
  readonly onReturn?: boolean;
  /** A process with all its threads. @default every process */
  readonly pid?: number;
}

/**
 * Attaches a program to many functions of a program or library at once.
 *
 * Linux 6.6, `uprobe.session` 6.13. Needs CAP_PERFMON.
 *
 * @throws FileError, ElfError for the file; NotFoundError (SYMBOL_NOT_FOUND); AttachError, UnsupportedFeatureError,
 * PermissionError
 */
export function attachUprobeMulti(program: BpfProgram, options: UprobeMultiOptions): BpfLink {
  const { cookies, semaphoreOffsets, onReturn = false, pid = 0 } = options;
  checkProgram(program, { types: [uapi.BPF_PROG_TYPE_KPROBE], target: options.path });
  checkInteger('pid', pid, { minimum: 0, maximum: 0x7fff_ffff });
  const path = findProgramFile(options.path);
  const places = placesIn(path, options);
  const pattern = typeof options.functions === 'string' ? options.functions : undefined;
  checkCookies({ cookies, count: places.length, pattern });
  const { kernel } = program;
  const kind = kindOf(program, uprobes);
  const pathBytes = new TextEncoder().encode(`${path}\0`);
  const [offsets, cookieBytes, counters] = [places, cookies ?? [], semaphoreOffsets ?? []].map(bytesOf) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  return createLink(program, {
    kind: 'uprobe_multi',
    target: `${path}:${describePlaces(options)}`,
    needed: ['CAP_PERFMON'],
    feature: kind.feature,
    hint: 'attach to one function at a time: attachUprobe()',
    reasons: { ESRCH: 'there is no such process', EBADF: 'the path is no regular file' },
    fields: {
      attach_type: kind.attachType,
      uprobe_multi: {
        path: kernel.addressOf(pathBytes),
        offsets: kernel.addressOf(offsets),
        ref_ctr_offsets: kernel.addressOf(counters),
        cookies: kernel.addressOf(cookieBytes),
        cnt: places.length,
        flags: onReturn ? uapi.BPF_F_UPROBE_MULTI_RETURN : 0,
        pid,
        path_fd: 0,
      },
    },
    keep: [pathBytes, offsets, cookieBytes, counters],
  });
}

const kprobes = {
  session: { attachType: uapi.BPF_TRACE_KPROBE_SESSION, feature: Feature.KprobeSession },
  multi: { attachType: uapi.BPF_TRACE_KPROBE_MULTI, feature: Feature.KprobeMulti },
};

const uprobes = {
  session: { attachType: uapi.BPF_TRACE_UPROBE_SESSION, feature: Feature.UprobeSession },
  multi: { attachType: uapi.BPF_TRACE_UPROBE_MULTI, feature: Feature.UprobeMulti },
};

function kindOf(program: BpfProgram, { session, multi }: typeof kprobes): typeof kprobes.multi {
  return program.attachType === session.attachType ? session : multi;
}

function placesIn(path: string, { functions, offsets }: UprobeMultiOptions): readonly bigint[] {
  if ((functions === undefined) === (offsets === undefined)) {
    throw new ArgumentError('functions', `Cannot attach to ${path}: either functions or offsets are needed`);
  }
  if (offsets !== undefined) return offsets;
  if (typeof functions !== 'string') return (functions ?? []).map((name) => functionOffset(path, name));
  const test = (name: string): boolean => matchesPattern(functions, name);
  const found = withExecutable(path, (file) => findFunctions(file, { test }));
  if (found.length === 0) throw noMatch(functions, path);
  return [...new Set(found.map(({ offset }) => BigInt(offset)))];
}

function describePlaces({ functions, offsets }: UprobeMultiOptions): string {
  if (typeof functions === 'string') return functions;
  return functions === undefined ? `${String(offsets?.length ?? 0)} places` : list(functions);
}

/** The functions that the kernel can trace, of its own and of its modules, in the order of tracefs. */
function traceableFunctions(pattern: string, doing: string): string[] {
  // Absent on kernels built without CONFIG_DYNAMIC_FTRACE, which have no function that may be traced.
  const names = (readTracefs('available_filter_functions', doing) ?? '')
    .split('\n')
    .map((line) => line.split(' ', 1)[0] ?? '')
    .filter((name) => name !== '' && matchesPattern(pattern, name));
  if (names.length === 0) throw noMatch(pattern, 'this kernel');
  return [...new Set(names)];
}

function noMatch(pattern: string, where: string): NotFoundError {
  return new NotFoundError(
    'SYMBOL_NOT_FOUND',
    pattern,
    `Cannot find ${pattern} in ${where}: no function matches it`,
  );
}

function checkCookies(facts: {
  cookies: readonly bigint[] | undefined;
  count: number;
  pattern: string | undefined;
}): void {
  const { cookies, count, pattern } = facts;
  if (count === 0) throw new ArgumentError('functions', 'Cannot attach: the list of functions is empty');
  if (cookies === undefined || (pattern === undefined && cookies.length === count)) return;
  throw new ArgumentError(
    'cookies',
    `Cannot attach: ${String(cookies.length)} cookies do not go with ${pattern ?? `${String(count)} functions`}`,
  );
}

function bytesOf(values: readonly bigint[]): Uint8Array {
  return new Uint8Array(BigUint64Array.from(values).buffer);
}

function list(names: readonly string[]): string {
  const [first = '', ...others] = names;
  return others.length === 0 ? first : `${first} and ${String(others.length)} more`;
}
