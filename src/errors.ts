/**
 * Every error class of ts-xdp.
 *
 * A caller tells errors apart by class or by `code`, never by message. Facts are fields, so that a program can
 * act on them and `--json` can print them. A message reads "Cannot <do what>: <why>"; `hint` says what to do.
 */

/** What a fact of an error may be: anything JSON can carry, and bigint, which is printed as a decimal string. */
export type Fact =
  string | number | bigint | boolean | null | undefined | readonly Fact[] | { [name: string]: Fact };

/** What every error may carry besides its message. */
export interface ErrorContext {
  /** One sentence on what the reader can do about it. */
  hint?: string | undefined;
  cause?: unknown;
}

/** The base of every error that ts-xdp throws on purpose. */
export abstract class TsXdpError extends Error {
  abstract readonly code: string;
  readonly hint: string | undefined;
  /** What had gone wrong before and had stopped nothing by itself, such as BTF that the kernel refuses. */
  declare warnings?: readonly string[];

  constructor(message: string, context: ErrorContext = {}) {
    super(message, context.cause === undefined ? undefined : { cause: context.cause });
    this.name = new.target.name;
    this.hint = context.hint;
  }

  /** The fields that describe what happened, without message, hint and code. */
  facts(): Record<string, Fact> {
    const facts: Record<string, Fact> = {};
    for (const [name, value] of Object.entries(this)) {
      if (name === 'code' || name === 'hint' || name === 'name' || name === 'cause') continue;
      facts[name] = value as Fact;
    }
    return facts;
  }
}

/** A value given by the caller has no meaning here: a wrong option, a name with a slash, a negative size. */
export class ArgumentError extends TsXdpError {
  readonly code = 'ARGUMENT_INVALID';
  readonly argument: string;

  constructor(argument: string, message: string, context?: ErrorContext) {
    super(message, context);
    this.argument = argument;
  }
}

/** A handle was used after `close()`. */
export class ClosedError extends TsXdpError {
  readonly code = 'CLOSED';
  readonly resource: string;

  constructor(resource: string) {
    super(`Cannot use ${resource}: it is closed`);
    this.resource = resource;
  }
}

/** A read or write past the end of a buffer, found before it happens. */
export class BoundsError extends TsXdpError {
  readonly code = 'OUT_OF_BOUNDS';
  readonly offset: number;
  readonly length: number;
  readonly available: number;

  constructor(offset: number, length: number, available: number) {
    super(
      `Cannot access ${String(length)} bytes at offset ${String(offset)}: only ${String(available)} bytes are there`,
    );
    this.offset = offset;
    this.length = length;
    this.available = available;
  }
}

/** A thread that reads a ring buffer ended with an error: its handler threw it, or could not be made. */
export class RingWorkerError extends TsXdpError {
  readonly code = 'RING_WORKER_FAILED';
  /** The map's name; several are separated by commas. */
  readonly map: string;

  /** `cause` is what was thrown there, as far as it can be passed between threads. */
  constructor({ map, what }: { readonly map: string; readonly what: string }, cause: unknown) {
    const said = cause instanceof Error ? cause.message : String(cause);
    super(`Cannot read ${what} in a worker: ${said}`, { cause });
    this.map = map;
  }
}

/** Memory of an arena that no program has allocated, where only programs may (`BPF_F_SEGV_ON_FAULT`). */
export class UnallocatedPageError extends TsXdpError {
  readonly code = 'PAGE_UNALLOCATED';
  /** The map's name. */
  readonly map: string;
  /** Of the first byte that was asked for, counted from 0; the missing page is this one, or one behind it. */
  readonly page: number;

  /** `cause` is what the kernel said. */
  constructor(map: string, page: number, options: { readonly cause?: unknown } = {}) {
    super(
      `Cannot touch page ${page} of arena ${map}: it, or one behind it, is not allocated, and with BPF_F_SEGV_ON_FAULT only programs allocate`,
      { ...options, hint: 'call bpf_arena_alloc_pages() in a program first' },
    );
    this.map = map;
    this.page = page;
  }
}

/** A package that this one depends on is not installed the way it must be. */
export class DependencyError extends TsXdpError {
  readonly code = 'DEPENDENCY_MISSING';
  readonly package: string;

  constructor(name: string, message: string, context?: ErrorContext) {
    super(message, context);
    this.package = name;
  }
}

/** What went wrong with a file, for {@link FileError}. */
export type FileErrorCode = 'FILE_NOT_FOUND' | 'FILE_UNREADABLE';

/** A file named by the caller cannot be read. */
export class FileError extends TsXdpError {
  readonly code: FileErrorCode;
  readonly path: string;

  constructor(code: FileErrorCode, path: string, message: string, context?: ErrorContext) {
    super(message, context);
    this.code = code;
    this.path = path;
  }
}

/** A generated file is not what its object makes it now. */
export class StaleFileError extends TsXdpError {
  readonly code = 'FILE_STALE';
  readonly path: string;
  /** The first line that differs, counted from 1. */
  readonly line: number;

  constructor(path: string, line: number, message: string, context?: ErrorContext) {
    super(message, context);
    this.path = path;
    this.line = line;
  }
}

/** What is wrong with an ELF file, for {@link ElfError}. */
export type ElfErrorCode = 'ELF_NOT_ELF' | 'ELF_NOT_BPF' | 'ELF_TRUNCATED' | 'ELF_INVALID';

/** Where in an ELF file something is wrong. */
export interface ElfErrorContext extends ErrorContext {
  section?: string | undefined;
  /** Bytes from the start of the file, or of the section where one is named. */
  offset?: number | undefined;
}

/** The bytes are not an ELF file that this library can read. */
export class ElfError extends TsXdpError {
  readonly code: ElfErrorCode;
  readonly section: string | undefined;
  readonly offset: number | undefined;

  constructor(code: ElfErrorCode, message: string, context: ElfErrorContext = {}) {
    super(message, context);
    this.code = code;
    this.section = context.section;
    this.offset = context.offset;
  }
}

/** BTF or BTF.ext is malformed, or a type is not what the operation needs. */
export class BtfError extends TsXdpError {
  readonly code = 'BTF_INVALID';
  readonly typeId: number | undefined;

  constructor(message: string, context: ErrorContext & { typeId?: number | undefined } = {}) {
    super(message, context);
    this.typeId = context.typeId;
  }
}

/** An object is not laid out as the module that was generated for it says. */
export class LayoutError extends BtfError {
  /** `struct simple_event` */
  readonly struct: string | undefined;
  readonly field: string | undefined;
  /** Bytes from the start of the struct; with a fraction for a bitfield. Of the module. */
  readonly expectedOffset: number | undefined;
  /** Of the object. */
  readonly foundOffset: number | undefined;

  constructor(
    message: string,
    context: ErrorContext & {
      struct?: string | undefined;
      field?: string | undefined;
      expectedOffset?: number | undefined;
      foundOffset?: number | undefined;
    } = {},
  ) {
    super(message, context);
    this.struct = context.struct;
    this.field = context.field;
    this.expectedOffset = context.expectedOffset;
    this.foundOffset = context.foundOffset;
  }
}

/** What is wrong with an object that is valid ELF, for {@link ObjectError}. */
export type ObjectErrorCode =
  'OBJECT_INVALID' | 'OBJECT_FOREIGN_ENDIAN' | 'RELOCATION_FAILED' | 'PROGRAM_NONE' | 'PROGRAM_AMBIGUOUS';

/** The object file is readable but cannot be loaded the way it was asked for. */
export class ObjectError extends TsXdpError {
  readonly code: ObjectErrorCode;
  readonly section: string | undefined;
  readonly program: string | undefined;
  readonly programs: readonly string[] | undefined;

  constructor(
    code: ObjectErrorCode,
    message: string,
    context: ErrorContext & {
      section?: string | undefined;
      program?: string | undefined;
      programs?: readonly string[] | undefined;
    } = {},
  ) {
    super(message, context);
    this.code = code;
    this.section = context.section;
    this.program = context.program;
    this.programs = context.programs;
  }
}

/** What was looked for and is not there, for {@link NotFoundError}. */
export type NotFoundErrorCode =
  | 'PROGRAM_NOT_FOUND'
  | 'MAP_NOT_FOUND'
  | 'VARIABLE_NOT_FOUND'
  | 'TYPE_NOT_FOUND'
  | 'BTF_NOT_FOUND'
  | 'INTERFACE_NOT_FOUND'
  | 'NETNS_NOT_FOUND'
  | 'PIN_NOT_FOUND'
  | 'LINK_NOT_FOUND'
  | 'ATTACH_TARGET_NOT_FOUND'
  | 'CGROUP_NOT_FOUND'
  | 'SYMBOL_NOT_FOUND'
  | 'TRACEPOINT_NOT_FOUND'
  | 'KEY_NOT_FOUND';

/** Something was named that is not there. `available` holds the names that are, where they are few. */
export class NotFoundError extends TsXdpError {
  readonly code: NotFoundErrorCode;
  readonly subject: string;
  readonly available: readonly string[] | undefined;

  constructor(
    code: NotFoundErrorCode,
    subject: string,
    message: string,
    context: ErrorContext & { available?: readonly string[] | undefined } = {},
  ) {
    super(message, context);
    this.code = code;
    this.subject = subject;
    this.available = context.available;
  }
}

/** A value does not fit the type it is meant for. `path` leads into it: `[3].ports`. */
export class ValueError extends TsXdpError {
  readonly code = 'VALUE_INVALID';
  readonly path: string;
  readonly type: string;

  constructor(path: string, type: string, message: string, context?: ErrorContext) {
    super(message, context);
    this.path = path;
    this.type = type;
  }
}

/** A system call failed in a way that no more specific class describes. */
export class SyscallError extends TsXdpError {
  readonly code = 'SYSCALL_FAILED';
  /** `bpf(BPF_MAP_CREATE)`, `mmap`, … */
  readonly call: string;
  readonly errno: number;
  readonly errnoName: string;

  constructor(call: string, errno: number, errnoName: string, message: string, context?: ErrorContext) {
    super(message, context);
    this.call = call;
    this.errno = errno;
    this.errnoName = errnoName;
  }
}

/** The kernel does not permit it. `missing` names the capabilities that were found absent; empty where none is. */
export class PermissionError extends TsXdpError {
  readonly code = 'PERMISSION_DENIED';
  readonly call: string;
  readonly errnoName: string;
  readonly missing: readonly string[];

  constructor(
    call: string,
    errnoName: string,
    missing: readonly string[],
    message: string,
    context?: ErrorContext,
  ) {
    super(message, context);
    this.call = call;
    this.errnoName = errnoName;
    this.missing = missing;
  }
}

/** This kernel lacks a feature, found by probing it. */
export class UnsupportedFeatureError extends TsXdpError {
  readonly code = 'UNSUPPORTED_FEATURE';
  readonly feature: string;
  /** The first kernel version that has it, `5.8`. */
  readonly minKernel: string;

  constructor(feature: string, minKernel: string, message: string, context?: ErrorContext) {
    super(message, context);
    this.feature = feature;
    this.minKernel = minKernel;
  }
}

/** The kernel answered a netlink request with an error; `extack` is its own text, where it gave one. */
export class NetlinkError extends TsXdpError {
  readonly code = 'NETLINK_FAILED';
  readonly request: string;
  readonly errno: number;
  readonly errnoName: string;
  readonly extack: string | undefined;

  constructor(
    request: string,
    errno: number,
    errnoName: string,
    extack: string | undefined,
    message: string,
    context?: ErrorContext,
  ) {
    super(message, context);
    this.request = request;
    this.errno = errno;
    this.errnoName = errnoName;
    this.extack = extack;
  }
}

/** A line of C. */
export interface SourceLine extends Record<string, Fact> {
  /** As the compiler was given it; the log tells file and line since Linux 6.9. */
  file: string | undefined;
  line: number | undefined;
  text: string;
}

/** An instruction of a program, counted from 0. */
export interface RefusedInstruction extends Record<string, Fact> {
  index: number;
  /** As the kernel prints it, `r0 = *(u8 *)(r1 +20)`. */
  text: string | undefined;
}

/** What the verifier knew of a register: `{ register: 'R1', state: 'pkt(r=0)' }`. */
export interface InvolvedRegister extends Record<string, Fact> {
  register: string;
  state: string | undefined;
}

/** What is known of a refused program. */
export interface VerifierRefusal {
  readonly program: string;
  readonly errno: number;
  readonly errnoName: string;
  readonly summary: string;
  readonly log: string;
  readonly source?: SourceLine | undefined;
  readonly instruction?: RefusedInstruction | undefined;
  readonly registers?: readonly InvolvedRegister[] | undefined;
  readonly rule?: string | undefined;
  readonly suggestion?: string | undefined;
}

/** The verifier, or a check before it, refused a program. */
export class VerifierError extends TsXdpError {
  readonly code = 'VERIFIER_REFUSED';
  readonly program: string;
  readonly errno: number;
  readonly errnoName: string;
  /** The verifier's reason in one line. */
  readonly summary: string;
  /** Where line information leads to it. */
  readonly source: SourceLine | undefined;
  readonly instruction: RefusedInstruction | undefined;
  /** Those that the reason names. */
  readonly registers: readonly InvolvedRegister[];
  /** `packet-bounds`, `null-check`, `reference-leak`, …; undefined where it is no classic. */
  readonly rule: string | undefined;
  /** What is usually done about it. */
  readonly suggestion: string | undefined;
  /** The whole log. */
  readonly log: string;

  constructor(refusal: VerifierRefusal, context?: ErrorContext) {
    const place = placeOf(refusal.source);
    super(
      `Cannot load program ${refusal.program}: ${refusal.summary}` +
        (place === undefined ? '' : ` (at ${place})`),
      context,
    );
    this.program = refusal.program;
    this.errno = refusal.errno;
    this.errnoName = refusal.errnoName;
    this.summary = refusal.summary;
    this.source = refusal.source;
    this.instruction = refusal.instruction;
    this.registers = refusal.registers ?? [];
    this.rule = refusal.rule;
    this.suggestion = refusal.suggestion;
    this.log = refusal.log;
  }

  /** `file.c:42: the line of C`. */
  get place(): string | undefined {
    return placeOf(this.source);
  }
}

function placeOf(source: SourceLine | undefined): string | undefined {
  if (source?.file === undefined) return source?.text;
  return `${source.file}:${String(source.line)}: ${source.text}`;
}

/** Why a program could not be attached. */
export type AttachErrorCode = 'ALREADY_ATTACHED' | 'ATTACH_REFUSED' | 'ATTACH_CHANGED';

/** A program could not be attached where it was asked for. */
export class AttachError extends TsXdpError {
  readonly code: AttachErrorCode;
  readonly target: string;
  /** What stands in the way, where it is known: `mtu`, `lro`, `driver`, `device_kind`. */
  readonly obstacle: string | undefined;
  readonly programId: number | undefined;
  readonly tried: readonly string[] | undefined;

  constructor(
    code: AttachErrorCode,
    target: string,
    message: string,
    context: ErrorContext & {
      obstacle?: string | undefined;
      programId?: number | undefined;
      tried?: readonly string[] | undefined;
    } = {},
  ) {
    super(message, context);
    this.code = code;
    this.target = target;
    this.obstacle = context.obstacle;
    this.programId = context.programId;
    this.tried = context.tried;
  }
}

/** A path in a bpf file system is taken. */
export class PinExistsError extends TsXdpError {
  readonly code = 'PIN_EXISTS';
  readonly path: string;

  constructor(path: string, context?: ErrorContext) {
    super(`Cannot pin to ${path}: something is pinned there already`, context);
    this.path = path;
  }
}

/** One property in which a map differs from what is needed. */
export interface MapDifference extends Record<string, Fact> {
  property: string;
  wanted: string;
  found: string;
}

/** An existing map cannot stand in for the one of the object. Lists every difference, not the first. */
export class MapIncompatibleError extends TsXdpError {
  readonly code = 'MAP_INCOMPATIBLE';
  readonly map: string;
  readonly differences: readonly MapDifference[];
  /** Where the existing map is pinned, if it was found by its pin. */
  readonly path: string | undefined;
  /** The id of the existing map, if it was found by that. */
  readonly id: number | undefined;

  constructor(
    map: string,
    differences: readonly MapDifference[],
    context: ErrorContext & { path?: string | undefined; id?: number | undefined } = {},
  ) {
    const { path, id } = context;
    const list = differences.map((d) => `${d.property} is ${d.found}, not ${d.wanted}`).join('; ');
    let existing = 'the existing map';
    if (path !== undefined) existing = `the map pinned at ${path}`;
    else if (id !== undefined) existing = `map ${String(id)}`;
    super(`Cannot use ${existing} for ${map}: ${list}`, context);
    this.map = map;
    this.differences = differences;
    this.path = path;
    this.id = id;
  }
}

/** Records of a ring buffer are not of the size that their type has. */
export class EventSizeError extends TsXdpError {
  readonly code = 'EVENT_SIZE_MISMATCH';
  readonly map: string;
  readonly struct: string;
  readonly structSize: number;
  readonly recordSize: number;

  constructor(map: string, struct: string, structSize: number, recordSize: number, context?: ErrorContext) {
    super(
      `Cannot read a record of ${map} as struct ${struct}: ` +
        `the record has ${String(recordSize)} bytes, the struct ${String(structSize)}`,
      context,
    );
    this.map = map;
    this.struct = struct;
    this.structSize = structSize;
    this.recordSize = recordSize;
  }
}

/** Of several entries of a map, one could not be written or removed. Those before it are. */
export class MapBatchError extends TsXdpError {
  readonly code = 'MAP_BATCH_FAILED';
  readonly map: string;
  /** Entries that were written or removed; the one after them is what failed. */
  readonly done: number;

  /** `cause` is the error of the call. */
  constructor(map: string, done: number, message: string, context: ErrorContext & { cause: unknown }) {
    super(message, context);
    this.map = map;
    this.done = done;
  }
}

/** Keys of a map came and went faster than they were read, so that the kernel started over again and again. */
export class MapIterationError extends TsXdpError {
  readonly code = 'MAP_ITERATION_ABORTED';
  readonly map: string;

  constructor(map: string, message: string, context?: ErrorContext) {
    super(message, context);
    this.map = map;
  }
}
