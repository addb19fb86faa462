import { TsXdpError, type ErrorContext } from './base.ts';

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
