import { TsXdpError, type ErrorContext } from './base.ts';

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
