import { TsXdpError, type ErrorContext } from './base.ts';

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
