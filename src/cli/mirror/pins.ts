import { accessSync, constants, existsSync, rmdirSync, unlinkSync } from 'node:fs';
import { PinExistsError } from '../../errors.ts';
import type { Collection } from '../../loader/index.ts';
import { isOnFileSystem } from '../../sys/index.ts';
import type { Output } from '../output/output.ts';

const PIN_ROOT = '/sys/fs/bpf';

/** Where the statistics are pinned while a mirror runs. */
export class PinDirectory {
  /** Undefined: they are not pinned. */
  readonly path: string | undefined;
  readonly #wasThere: boolean;

  private constructor(path: string | undefined) {
    this.path = path;
    this.#wasThere = path === undefined || existsSync(path);
  }

  /** A directory for this process, where nobody asks for another one and there is a bpf file system. */
  static choose(wanted: string | undefined, output: Output): PinDirectory {
    if (wanted !== undefined) return new PinDirectory(wanted);
    const obstacle = whyNotPinned();
    if (obstacle === undefined) return new PinDirectory(`${PIN_ROOT}/ts-xdp-mirror-${String(process.pid)}`);
    output.note(`note: the statistics are not pinned: ${obstacle}`);
    return new PinDirectory(undefined);
  }

  /** The pins that this load has made, and the directory if it has made that. */
  remove({ sharedMaps }: Collection): void {
    for (const { path, reused } of sharedMaps.values()) {
      if (reused) continue;
      ignoring('ENOENT', () => {
        unlinkSync(path);
      });
    }
    const { path } = this;
    if (path === undefined || this.#wasThere) return;
    ignoring('ENOTEMPTY', () => {
      rmdirSync(path);
    });
  }
}

function whyNotPinned(): string | undefined {
  if (!isOnFileSystem(PIN_ROOT, 'bpf')) return `there is no bpf file system at ${PIN_ROOT}`;
  try {
    accessSync(PIN_ROOT, constants.W_OK);
    return undefined;
  } catch (error) {
    return `${PIN_ROOT} cannot be written to (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`;
  }
}

/** By LIBBPF_PIN_BY_NAME this one would count into the map of another mirror. @throws PinExistsError */
export function refuseSharedStatistics({ sharedMaps }: Collection): void {
  for (const { path, reused } of sharedMaps.values()) {
    if (reused)
      throw new PinExistsError(path, {
        hint: 'another mirror counts there, or was killed: pin elsewhere, or remove it',
      });
  }
}

function ignoring(code: string, action: () => void): void {
  try {
    action();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== code) throw error;
  }
}
