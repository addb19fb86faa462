import { TsXdpError, type ErrorContext } from './base.ts';

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
