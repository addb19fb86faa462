import { CALL, disassemble, InstructionView, LOAD_IMMEDIATE_64 } from '../../asm/index.ts';
import { kernelCallTargets, type LoadedProgram } from '../../inspect/index.ts';
import {
  BPF_FUNC_tail_call,
  BPF_PSEUDO_CALL,
  BPF_PSEUDO_FUNC,
  BPF_PSEUDO_MAP_FD,
  BPF_PSEUDO_MAP_VALUE,
} from '../../uapi/index.ts';
import { newLines, type ListedFunction, type ListedInstruction } from './listing.ts';

/** The functions of a loaded program, with what the kernel says of each instruction. */
export function listLoadedProgram(program: LoadedProgram): ListedFunction[] {
  const view = new InstructionView(program.instructions);
  const references = new References(program, view);
  const lines = newLines(program.lines);
  const instructions = disassemble(view, { mapsBy: 'id' }).map(({ index, text }): ListedInstruction => ({
    index,
    text,
    reference: references.of(index),
    core: [],
    source: lines.get(index) ?? null,
  }));
  const starts =
    program.functions.length > 0 ? program.functions : [{ index: 0, name: program.name || 'anonymous' }];
  return starts.map(({ index: first, name }, position) => {
    const end = starts[position + 1]?.index ?? view.count;
    return {
      name,
      section: null,
      instructions: instructions.filter(({ index }) => index >= first && index < end),
    };
  });
}

class References {
  readonly #program: LoadedProgram;
  readonly #view: InstructionView;
  readonly #kernelFunctions: ReadonlyMap<number, string>;

  constructor(program: LoadedProgram, view: InstructionView) {
    this.#program = program;
    this.#view = view;
    const calls = Array.from({ length: view.count }, (_, index) => index).filter((index) =>
      this.#isKernelCall(index),
    );
    this.#kernelFunctions = kernelCallTargets(calls.map((index) => view.immediate(index)));
  }

  of(index: number): string | null {
    const view = this.#view;
    if (view.opcode(index) === CALL) {
      if (view.source(index) === BPF_PSEUDO_CALL) return this.#functionAt(index + 1 + view.offset(index));
      const name = this.#kernelFunctions.get(view.immediate(index));
      return name === undefined ? null : `function ${name} of the kernel`;
    }
    if (view.opcode(index) !== LOAD_IMMEDIATE_64) return null;
    switch (view.source(index)) {
      case BPF_PSEUDO_MAP_FD:
      case BPF_PSEUDO_MAP_VALUE: {
        const name = this.#program.maps.get(view.immediate(index));
        return name === undefined ? null : `map ${name}`;
      }
      case BPF_PSEUDO_FUNC:
        return this.#functionAt(index + 1 + view.immediate(index));
      default:
        return null;
    }
  }

  /** The kernel leaves the number of bpf_tail_call as it was; all others are addresses. */
  #isKernelCall(index: number): boolean {
    const view = this.#view;
    if (view.opcode(index) !== CALL || view.source(index) === BPF_PSEUDO_CALL) return false;
    return view.immediate(index) !== BPF_FUNC_tail_call;
  }

  #functionAt(index: number): string | null {
    const found = this.#program.functions.find((fn) => fn.index === index);
    return found === undefined ? null : `function ${found.name}`;
  }
}
