/**
 * Every error class of ts-xdp.
 *
 * A caller tells errors apart by class or by `code`, never by message. Facts are fields, so that a program can
 * act on them and `--json` can print them. A message reads "Cannot <do what>: <why>"; `hint` says what to do.
 */

export { TsXdpError } from './errors/base.ts';
export type { Fact, ErrorContext } from './errors/base.ts';
export { ArgumentError, ClosedError, BoundsError, ValueError, NotFoundError } from './errors/caller.ts';
export type { NotFoundErrorCode } from './errors/caller.ts';
export { DependencyError, FileError, StaleFileError } from './errors/file.ts';
export type { FileErrorCode } from './errors/file.ts';
export { ElfError, BtfError, LayoutError, ObjectError } from './errors/object.ts';
export type { ElfErrorCode, ElfErrorContext, ObjectErrorCode } from './errors/object.ts';
export { SyscallError, PermissionError, UnsupportedFeatureError, NetlinkError } from './errors/kernel.ts';
export { VerifierError } from './errors/verifier.ts';
export type { SourceLine, RefusedInstruction, InvolvedRegister, VerifierRefusal } from './errors/verifier.ts';
export { AttachError, PinExistsError } from './errors/attach.ts';
export type { AttachErrorCode } from './errors/attach.ts';
export { MapIncompatibleError, MapBatchError, MapIterationError } from './errors/map.ts';
export type { MapDifference } from './errors/map.ts';
export { RingWorkerError, UnallocatedPageError, EventSizeError } from './errors/events.ts';
