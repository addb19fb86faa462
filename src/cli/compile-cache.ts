import {
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import module from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';

/** Hexadecimal digits of SHA-256. */
const HASH_LENGTH = 64;

/** `node:module` of Node 22.1 and later. */
interface CompileCache {
  readonly enableCompileCache?: (directory: string) => unknown;
}

/**
 * Keeps V8's compiled code between runs, which saves a seventh of the start-up, where Node can; see {@link requireCompiled} for Node 20.
 *
 * What is read from the cache is executed, mostly as root, and nothing but a hash of the source is checked. So it
 * lies beside the code itself, where only who can change the code can write, and not in Node's default, a folder
 * below /tmp that anybody may have made. And it is used by the owner of the code alone: root would leave files in a
 * user's node_modules that the user cannot remove.
 */
export function cacheCompiledCode(): void {
  const { enableCompileCache } = module as CompileCache;
  const folder = cacheFolder();
  // A folder that cannot be written to is no error for Node either; it then goes on without.
  if (folder !== undefined) enableCompileCache?.(folder);
}

function cacheFolder(): string | undefined {
  const code = fileURLToPath(new URL('..', import.meta.url));
  if (statSync(code).uid !== process.geteuid?.()) return undefined;
  return fileURLToPath(new URL('../../node_modules/.cache/compile', import.meta.url));
}

/** A CommonJS module that was loaded, and how to keep what V8 has compiled of it. */
export interface CompiledModule {
  readonly exports: unknown;
  /** To be called once it has done its work, so that the functions that it needed are kept too. */
  keep(): void;
}

/**
 * Loads a CommonJS file with the code that V8 compiled of it in an earlier run. Node does so itself since 22.1; what is
 * done here is for Node 20, by the same rules. Its last line is the hash of the source, as the build has put it there.
 */
export function requireCompiled(path: string): CompiledModule {
  const require = module.createRequire(path);
  const folder = cacheFolder();
  if ((module as CompileCache).enableCompileCache || folder === undefined)
    return { exports: require(path), keep: () => undefined };
  // All of it is ASCII, since esbuild escapes what is not; as UTF-8 it takes milliseconds longer to read.
  const source = readFileSync(path, 'latin1');
  const cache = new CodeCache(join(folder, `${basename(path)}-${process.version}-${process.arch}`), source);
  const cachedData = cache.read();
  const script = new Script(module.wrap(source), {
    filename: path,
    columnOffset: -module.wrap('').indexOf('\n'),
    ...(cachedData && { cachedData }),
  });
  // V8 rejects what another version or other flags have made. The data itself is a megabyte, which `keep` must not hold.
  const isKept = cachedData !== undefined && script.cachedDataRejected !== true;
  const loaded = { exports: {} };
  (script.runInThisContext() as ModuleWrapper)(loaded.exports, require, loaded, path, dirname(path));
  return {
    exports: loaded.exports,
    keep: () => {
      if (!isKept) cache.write(script.createCachedData());
    },
  };
}

type ModuleWrapper = (...given: [exports: object, ...rest: unknown[]]) => void;

/**
 * V8 compares the length of the source alone, so its hash comes first in the file. What a failing disk has made of the rest ends
 * the process, and would do so at every start. A checksum would take ten times what a {@link UseMark} does.
 */
class CodeCache {
  readonly #path: string;
  readonly #hash: Buffer;
  readonly #mark: UseMark;

  constructor(path: string, source: string) {
    this.#path = path;
    this.#hash = Buffer.from(source.slice(-HASH_LENGTH), 'latin1');
    this.#mark = new UseMark(`${path}-in-use`);
  }

  read(): Buffer | undefined {
    if (!existsSync(this.#path)) return undefined;
    return withoutFileErrors(() => {
      const content = readFileSync(this.#path);
      if (!content.subarray(0, HASH_LENGTH).equals(this.#hash)) return undefined;
      if (this.#mark.begin()) return content.subarray(HASH_LENGTH);
      rmSync(this.#path, { force: true });
      this.#mark.remove();
      return undefined;
    });
  }

  write(data: Buffer): void {
    withoutFileErrors(() => {
      mkdirSync(dirname(this.#path), { recursive: true, mode: 0o755 });
      const unfinished = `${this.#path}-${String(process.pid)}`;
      // Not one that a process of another container with that number has open.
      const fd = openSync(unfinished, 'wx', 0o644);
      try {
        writeFileSync(fd, Buffer.concat([this.#hash, data]));
        // V8 ends the process where what is kept is damaged: nobody, after a crash of the machine either, may find a part of it.
        fsyncSync(fd);
        renameSync(unfinished, this.#path);
        // One that a process left with what was there before would cost this.
        this.#mark.remove();
      } catch (error) {
        rmSync(unfinished, { force: true });
        throw error;
      } finally {
        closeSync(fd);
      }
    });
  }
}

/** Milliseconds in which any process starts: later its number may be that of another one. */
const LONGEST_START = 60_000;

/**
 * A symbolic link to the number of a process that starts with what is kept, so that one which is left says who died over it. As
 * it is made with its contents in one step, nobody sees half of it.
 */
class UseMark {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Marks until everything that can be done without waiting is done, `load` having attached by then. False where one died. */
  begin(): boolean {
    try {
      symlinkSync(String(process.pid), this.#path);
    } catch (error) {
      // Where nothing can be written, what is kept is used all the same.
      return (error as NodeJS.ErrnoException).code !== 'EEXIST' || this.#isStarting();
    }
    let isMarked = true;
    const end = (): void => {
      // It may be another's by the time of the exit. Taking the listener away would cost more than this.
      if (isMarked) this.remove();
      isMarked = false;
    };
    process.once('exit', end);
    process.nextTick(end);
    return true;
  }

  remove(): void {
    withoutFileErrors(() => {
      unlinkSync(this.#path);
    });
  }

  /** Whether the one who marked is another process that still starts; so is one whose mark has just gone. */
  #isStarting(): boolean {
    return (
      withoutFileErrors(() => {
        const pid = Number(readlinkSync(this.#path));
        const age = Date.now() - lstatSync(this.#path).mtimeMs;
        return pid !== process.pid && Math.abs(age) < LONGEST_START && isRunning(pid);
      }) ?? true
    );
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** As with Node's own: where nothing can be read or written, every run compiles. */
function withoutFileErrors<Result>(action: () => Result): Result | undefined {
  try {
    return action();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return undefined;
  }
}
