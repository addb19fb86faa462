import type { Btf } from '../btf/index.ts';
import type { BpfMap } from '../maps/index.ts';
import type { BpfProgram } from '../programs/index.ts';
import type { Kernel } from '../sys/index.ts';
import type { TokenChoice } from './choose-token.ts';
import type { AcceptedLog } from './load-program.ts';
import type { ExistingMapReference } from './provide-map.ts';

/** Options of {@link Collection.load}. */
export interface LoadOptions {
  /**
   * Maps that stand in for those of the object, by name: a handle, which stays the caller's to close, or the pin or id
   * of one in the kernel. They come before pins that the object asks for, and keep the contents that they have.
   */
  readonly maps?: ReadonlyMap<string, BpfMap | ExistingMapReference>;
  /**
   * The directory in a bpf file system where maps with `pinByName` are shared, as libbpf's `pin_root_path`. The last
   * directory of the path is made where it is missing. False pins no map and looks at no pin, not even of a `pinPath`.
   *
   * @default '/sys/fs/bpf'
   */
  readonly pinRoot?: string | false;
  /**
   * What permits it in a user namespace (Linux 6.9): a token, which stays the caller's, the root of a bpf file system
   * to create one from, or false for none.
   *
   * @default from the path in LIBBPF_BPF_TOKEN_PATH, otherwise from /sys/fs/bpf if that delegates something
   */
  readonly token?: TokenChoice;
  /** @default the running kernel */
  readonly kernel?: Kernel;
  /**
   * The types that CO-RE relocations are resolved against, for a kernel that does not offer its own.
   *
   * @default those of the running kernel and its modules
   */
  readonly kernelBtf?: Btf;
  /**
   * Lines `CONFIG_NAME=value`, which come before those that the running kernel was built with, for externs declared
   * with `__kconfig`.
   */
  readonly kernelConfig?: string;
  /**
   * Loaded programs, by the name of the program of this object that is for a function of theirs: `freplace`, and
   * `fentry` or `fexit` of BPF functions. They stay the caller's.
   */
  readonly attachTo?: ReadonlyMap<string, BpfProgram>;
  /** Names of the programs to load. @default those with `autoload` */
  readonly programs?: readonly string[];
  /**
   * Whose references to the kernel must resolve: those of the programs that are loaded, or of the whole object, as
   * libbpf wants it whatever is loaded.
   *
   * @default 'of-programs'
   */
  readonly externs?: 'of-programs' | 'of-object';
  /** What to ask the verifier about programs that it accepts, for {@link Collection.log}. @default 'none' */
  readonly acceptedLog?: AcceptedLog;
}
