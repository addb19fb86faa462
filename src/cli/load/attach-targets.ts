import type { ObjectFile, ProgramSpec } from '../../elf/index.ts';
import type { AttachPlan } from '../../loader/index.ts';
import { BPF_PROG_TYPE_EXT, BPF_PROG_TYPE_SCHED_ACT, BPF_PROG_TYPE_SCHED_CLS } from '../../uapi/index.ts';
import { UsageError } from '../exit-code.ts';

/** What `--target` said: one for all programs whose section leaves it open, and `PROGRAM=TARGET` for single ones. */
export class AttachTargets {
  readonly #object: ObjectFile;
  readonly #ofAll: string | undefined;
  readonly #ofProgram = new Map<string, string>();
  readonly #used = new Set<string>();

  /** @throws UsageError for two that are for the same programs */
  constructor(object: ObjectFile, given: readonly string[]) {
    this.#object = object;
    const ofAll: string[] = [];
    for (const text of given) {
      const equals = text.indexOf('=');
      const program = text.slice(0, Math.max(equals, 0));
      // A path may have an equals sign too.
      if (!object.programs.has(program)) ofAll.push(text);
      else if (this.#ofProgram.has(program)) throw new UsageError(`--target is given twice for ${program}`);
      else this.#ofProgram.set(program, text.slice(equals + 1));
    }
    if (ofAll.length > 1) {
      throw new UsageError(`--target ${ofAll.join(' and ')} are both for all programs: write PROGRAM=TARGET`);
    }
    this.#ofAll = ofAll[0];
  }

  /** What is for a program; undefined where nothing is, and where its section says it. */
  of(spec: ProgramSpec, { open }: AttachPlan): string | undefined {
    return open ? (this.#ofProgram.get(spec.name) ?? this.#ofAll) : undefined;
  }

  /** The same for a program that is attached, if it has the form that it needs. */
  take(spec: ProgramSpec, plan: AttachPlan): string | undefined {
    const target = this.of(spec, plan);
    if (target === undefined || plan.open?.fits(target, this.#object.maps) !== true) return undefined;
    this.#used.add(this.#ofProgram.has(spec.name) ? spec.name : '');
    return target;
  }

  /** Those that no program took, as they were written. */
  unused(): string[] {
    return [
      ...(this.#ofAll !== undefined && !this.#used.has('') ? [this.#ofAll] : []),
      ...[...this.#ofProgram]
        .filter(([program]) => !this.#used.has(program))
        .map(([program, target]) => `${program}=${target}`),
    ];
  }
}

/** What must be known of a target before its program is loaded. */
export function bindTarget(spec: ProgramSpec, target: string | undefined): void {
  // Its instructions and their meaning are the same (tc_cls_act_verifier_ops of net/core/filter.c is for both types); an
  // action would need a filter of another kind to call it.
  if (spec.type === BPF_PROG_TYPE_SCHED_ACT) spec.type = BPF_PROG_TYPE_SCHED_CLS;
  if (target === undefined || !spec.attachesToBtf) return;
  if (spec.attachTarget !== undefined && spec.attachTarget !== '') return;
  spec.attachTarget = spec.type === BPF_PROG_TYPE_EXT ? target.slice(target.lastIndexOf(':') + 1) : target;
}
