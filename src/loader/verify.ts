import {
  PermissionError,
  SyscallError,
  TsXdpError,
  UnsupportedFeatureError,
  VerifierError,
} from '../errors.ts';
import type { ObjectFile } from '../elf/index.ts';
import { errno } from '../sys/index.ts';
import { Collection } from './collection.ts';
import type { LoadOptions } from './load-options.ts';
import { readVerifierStatistics, type VerifierStatistics } from './verifier-statistics.ts';

/** What became of loading something. */
export interface Verdict {
  /** Undefined where the kernel accepted it. */
  readonly error: TsXdpError | undefined;
  /**
   * 0 where the kernel accepted it, otherwise its errno; where this loader refused, the errno that libbpf answers with
   * to the same, and null where none fits.
   */
  readonly errno: number | null;
  /** Whose refusal it is; undefined where there is none. */
  readonly refusedBy: 'kernel' | 'loader' | undefined;
  /** What was left out all the same, such as BTF that the kernel refuses. */
  readonly warnings: readonly string[];
}

export interface ProgramVerdict extends Verdict {
  readonly program: string;
  /** Of an accepted program also the size of its machine code, in bytes. */
  readonly jitedSize: number | undefined;
  readonly statistics: VerifierStatistics | undefined;
  readonly log: string;
}

export interface VerifyOptions extends Omit<LoadOptions, 'programs'> {
  /** @default every program of the object, those of sections that begin with `?` included */
  readonly programs?: readonly string[] | undefined;
}

/**
 * Loads every program of an object alone, as if it were the only one, and lets go of it again. What one program lacks
 * says nothing about the others. Maps are new ones and pinned nowhere, unless `pinRoot` says otherwise.
 *
 * @throws NotFoundError for a program that the object does not have
 */
export function* verifyPrograms(object: ObjectFile, options: VerifyOptions = {}): Generator<ProgramVerdict> {
  const { programs = [...object.programs.keys()], ...load } = options;
  for (const name of programs) object.program(name);
  for (const name of programs) yield verifyProgram(object, { program: name, load });
}

/** Loads an object as a whole, and lets go of it again. */
export function verifyObject(object: ObjectFile, options: LoadOptions = {}): Verdict {
  try {
    using collection = Collection.load(object, { externs: 'of-object', pinRoot: false, ...options });
    return { error: undefined, errno: 0, refusedBy: undefined, warnings: collection.warnings };
  } catch (error) {
    return refused(error);
  }
}

function verifyProgram(
  object: ObjectFile,
  { program: name, load }: { program: string; load: LoadOptions },
): ProgramVerdict {
  try {
    using collection = Collection.load(object, {
      acceptedLog: 'statistics',
      pinRoot: false,
      // What libbpf would not load is not reported as loadable.
      externs: 'of-object',
      ...load,
      programs: [name],
    });
    const log = collection.log(name);
    const { jitedSize } = collection.program(name).info();
    const statistics = readVerifierStatistics(log);
    const accepted = { error: undefined, errno: 0, refusedBy: undefined, warnings: collection.warnings };
    return { program: name, ...accepted, jitedSize, statistics, log };
  } catch (error) {
    const log = error instanceof VerifierError ? error.log : '';
    const statistics = readVerifierStatistics(log);
    return { program: name, ...refused(error), jitedSize: undefined, statistics, log };
  }
}

/** libbpf's own refusals, by the code of ours. */
const LIBBPF_ERRNO: Readonly<Record<string, number>> = {
  OBJECT_INVALID: errno.EINVAL,
  RELOCATION_FAILED: errno.EINVAL,
  BTF_INVALID: errno.EINVAL,
  ATTACH_TARGET_NOT_FOUND: errno.ESRCH,
};

function refused(error: unknown): Verdict {
  if (!(error instanceof TsXdpError)) throw error;
  return { ...refusal(error), warnings: error.warnings ?? [] };
}

function refusal(error: TsXdpError): Omit<Verdict, 'warnings'> {
  // A feature that was found missing after the kernel said no is still the kernel's refusal.
  const { errno: number } = (error.cause instanceof SyscallError ? error.cause : error).facts();
  if (typeof number === 'number') return { error, errno: number, refusedBy: 'kernel' };
  if (error instanceof PermissionError) {
    const denied = error.errnoName === 'EPERM' ? errno.EPERM : errno.EACCES;
    return { error, errno: denied, refusedBy: 'kernel' };
  }
  if (error instanceof UnsupportedFeatureError) return lacking(error);
  return { error, errno: LIBBPF_ERRNO[error.code] ?? null, refusedBy: 'loader' };
}

/** A struct to implement is looked for in the kernel's BTF; everything else is concluded from a bare EINVAL. */
function lacking(error: UnsupportedFeatureError): Omit<Verdict, 'warnings'> {
  if (error.feature.startsWith('struct_ops ')) return { error, errno: errno.ESRCH, refusedBy: 'loader' };
  return { error, errno: errno.EINVAL, refusedBy: 'kernel' };
}
