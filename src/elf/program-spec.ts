import type { Relocation } from './instruction-relocations.ts';

/** A run of instructions with a name: a program, or a subprogram that programs call. */
export interface FunctionSpec {
  readonly name: string;
  readonly section: string;
  readonly sectionIndex: number;
  /** Bytes from the start of the section. */
  readonly offset: number;
  /** The instructions as they stand in the file; a view, never written to. */
  readonly instructions: Uint8Array;
  /** In ascending order of offset, which counts bytes from the start of this function. */
  readonly relocations: readonly Relocation[];
}

/**
 * A program of an object, as it will be loaded. The fields that are not `readonly` may be changed until then.
 */
export interface ProgramSpec extends FunctionSpec {
  /** `BPF_PROG_TYPE_*`; 0 where the section name does not say. */
  type: number;
  /** `BPF_XDP`, `BPF_TRACE_FENTRY`, …; 0 where the type has none. */
  attachType: number;
  readonly attachTypeOptional: boolean;
  /** What follows the section's name: a tracepoint, a function, `undefined` where nothing does. */
  attachTarget: string | undefined;
  /** Whether it is verified against a function or type that `attachTarget` names. */
  attachesToBtf: boolean;
  sleepable: boolean;
  frags: boolean;
  /** Whether it is loaded at all. Programs of sections that begin with `?` start with false. */
  autoload: boolean;
  /** The function of `.text` that runs when the program throws (`__exception_cb`, Linux 6.7); at most one makes sense. */
  readonly exceptionCallbacks: readonly string[];
  /**
   * Binds an XDP program to one network device (`BPF_F_XDP_DEV_BOUND_ONLY`, Linux 6.3): it can be attached only
   * there, and may call the XDP metadata kfuncs.
   */
  deviceBound: number | undefined;
}
