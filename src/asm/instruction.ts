import { INSTRUCTION_SIZE } from './opcode.ts';

/** One 8-byte instruction slot. */
export interface Instruction {
  readonly opcode: number;
  readonly destination: number;
  readonly source: number;
  /** Signed 16 bits. */
  readonly offset: number;
  /** Signed 32 bits. */
  readonly immediate: number;
}

/**
 * Reads and patches instructions in place. Positions are instruction indices, not bytes.
 *
 * The two register nibbles swap places in big-endian objects (struct bpf_insn is a bitfield), which is why the
 * byte order is asked for.
 */
export class InstructionView {
  readonly count: number;
  readonly #view: DataView;
  readonly #littleEndian: boolean;

  constructor(bytes: Uint8Array, littleEndian = true) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#littleEndian = littleEndian;
    this.count = Math.floor(bytes.length / INSTRUCTION_SIZE);
  }

  opcode(index: number): number {
    return this.#view.getUint8(index * INSTRUCTION_SIZE);
  }

  source(index: number): number {
    const registers = this.#view.getUint8(index * INSTRUCTION_SIZE + 1);
    return this.#littleEndian ? registers >> 4 : registers & 0xf;
  }

  destination(index: number): number {
    const registers = this.#view.getUint8(index * INSTRUCTION_SIZE + 1);
    return this.#littleEndian ? registers & 0xf : registers >> 4;
  }

  offset(index: number): number {
    return this.#view.getInt16(index * INSTRUCTION_SIZE + 2, this.#littleEndian);
  }

  immediate(index: number): number {
    return this.#view.getInt32(index * INSTRUCTION_SIZE + 4, this.#littleEndian);
  }

  get(index: number): Instruction {
    return {
      opcode: this.opcode(index),
      destination: this.destination(index),
      source: this.source(index),
      offset: this.offset(index),
      immediate: this.immediate(index),
    };
  }

  set(index: number, instruction: Instruction): void {
    const at = index * INSTRUCTION_SIZE;
    const { destination, source } = instruction;
    this.#view.setUint8(at, instruction.opcode);
    this.#view.setUint8(
      at + 1,
      this.#littleEndian ? (source << 4) | destination : (destination << 4) | source,
    );
    this.#view.setInt16(at + 2, instruction.offset, this.#littleEndian);
    this.#view.setInt32(at + 4, instruction.immediate, this.#littleEndian);
  }

  setSource(index: number, source: number): void {
    const at = index * INSTRUCTION_SIZE + 1;
    const registers = this.#view.getUint8(at);
    this.#view.setUint8(
      at,
      this.#littleEndian ? (source << 4) | (registers & 0xf) : (registers & 0xf0) | source,
    );
  }

  setImmediate(index: number, immediate: number): void {
    this.#view.setInt32(index * INSTRUCTION_SIZE + 4, immediate, this.#littleEndian);
  }
}

/** Encodes instructions in this machine's byte order, which is little-endian wherever ts-xdp runs. */
export function encodeInstructions(instructions: readonly Partial<Instruction>[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(instructions.length * INSTRUCTION_SIZE);
  const view = new InstructionView(bytes);
  instructions.forEach((instruction, index) => {
    view.set(index, { opcode: 0, destination: 0, source: 0, offset: 0, immediate: 0, ...instruction });
  });
  return bytes;
}
