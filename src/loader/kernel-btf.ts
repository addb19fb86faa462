import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BtfError, FileError, TsXdpError } from '../errors.ts';
import { Btf } from '../btf/index.ts';
import { mapKernelTypes } from '../sys/index.ts';

const RUNNING = '/sys/kernel/btf';
const VMLINUX = 'vmlinux';

/** The running kernel's own types do not change; they are let go of when memory is wanted and nobody uses them. */
let shared: WeakRef<Btf> | undefined;
/** Mapped once, since they are never unmapped; null where this kernel cannot map them. */
let pages: Uint8Array | null | undefined;

/** The types of the running kernel and of its modules, each read when it is first needed and kept from then on. */
export class KernelBtf {
  readonly #folder: string;
  #vmlinux: Btf | undefined;
  #modules: ReadonlyMap<string, Btf> | undefined;

  /** `folder` holds one file for the kernel and one per module. */
  constructor({ folder = RUNNING }: { folder?: string } = {}) {
    this.#folder = folder;
  }

  /** @throws FileError where the kernel does not offer it, BtfError */
  get vmlinux(): Btf {
    this.#vmlinux ??=
      this.#folder === RUNNING ? runningKernelBtf() : readKernelBtf(join(this.#folder, VMLINUX));
    return this.#vmlinux;
  }

  /**
   * By the module's name, since Linux 5.11. A module that goes away meanwhile, or whose types were not made for this
   * kernel (it was built without its vmlinux at hand), is none of them: the others are still good.
   */
  get modules(): ReadonlyMap<string, Btf> {
    this.#modules ??= this.#readModules();
    return this.#modules;
  }

  #readModules(): Map<string, Btf> {
    const modules = new Map<string, Btf>();
    const base = this.vmlinux;
    for (const name of readdirSync(this.#folder).sort()) {
      const btf =
        name === VMLINUX
          ? undefined
          : readModuleBtf(join(this.#folder, name), { base, checked: this.#folder === RUNNING });
      if (btf) modules.set(name, btf);
    }
    return modules;
  }
}

function runningKernelBtf(): Btf {
  const known = shared?.deref();
  if (known) return known;
  const btf = readKernelBtf(join(RUNNING, VMLINUX), { map: true });
  shared = new WeakRef(btf);
  return btf;
}

function readKernelBtf(path: string, { map = false } = {}): Btf {
  try {
    if (map && pages === undefined) pages = mapKernelTypes(path) ?? null;
    return map && pages
      ? Btf.parse(pages, { readOnly: true, checked: true })
      : Btf.parse(readFileSync(path), { checked: map });
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === undefined || cause instanceof TsXdpError) throw cause;
    throw new FileError('FILE_UNREADABLE', path, `Cannot read the kernel's BTF at ${path}: ${code}`, {
      hint: 'kernel functions and CO-RE relocations need it; the kernel must be built with CONFIG_DEBUG_INFO_BTF',
      cause,
    });
  }
}

/** The running kernel has checked its modules' BTF; a folder of somebody's may hold anything. */
function readModuleBtf(path: string, { base, checked }: { base: Btf; checked: boolean }): Btf | undefined {
  try {
    return Btf.parse(readFileSync(path), { base, checked });
  } catch (error) {
    const unloaded = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (unloaded || error instanceof BtfError) return undefined;
    throw error;
  }
}
