import { ArgumentError } from '../errors.ts';
import { formTables, shapeOf, tokenize, type CompiledForm, type Token } from './form.ts';
import { helperNumber } from './helper-names.ts';
import type { Instruction } from './instruction.ts';
import { LOAD_IMMEDIATE_64 } from './opcode.ts';
import { fieldOf } from './print.ts';

const EMPTY: Instruction = { opcode: 0, destination: 0, source: 0, offset: 0, immediate: 0 };

/**
 * Instructions of text, one on a line, as `disassemble()` prints them. Numbers are decimal or hexadecimal. Lines that
 * begin with `;`, what follows `//`, and an instruction's number before it (`12:`) are comments, as are `name:` lines.
 *
 * @example
 * encodeInstructions(assemble('r0 = 2\nexit'));
 * @throws {ArgumentError} naming the line that is no instruction, or has a number that does not fit
 */
export function assemble(text: string): Instruction[] {
  return text.split('\n').flatMap((line, index) => {
    const code = line
      .replace(/\/\/.*$/, '')
      .replace(/^\s*(?:;.*|[\w.$]+:\s*$|\d+:)/, '')
      .trim();
    if (code === '') return [];
    const instructions = parseLine(code);
    if (instructions) return instructions;
    throw new ArgumentError('text', `Cannot assemble line ${index + 1}: ${code} is no instruction`);
  });
}

function parseLine(code: string): Instruction[] | undefined {
  const quad = /^\.quad 0x([\da-f]{16})$/i.exec(code)?.[1];
  if (quad !== undefined) return [parseRaw(BigInt(`0x${quad}`))];
  const tokens = tokenize(numberHelper(code));
  if (tokens === undefined) return undefined;
  for (const form of formTables().byShape.get(shapeOf(tokens)) ?? []) {
    const instructions = build(form, tokens);
    if (instructions) return instructions;
  }
  return undefined;
}

/** `call bpf_ktime_get_ns#5` and `call bpf_ktime_get_ns` to `call 5`; a name and a number must agree. */
function numberHelper(code: string): string {
  const [, name = '', number] = /^call (bpf_\w+)(?:#(\d+))?$/.exec(code) ?? [];
  const known = helperNumber(name);
  if (known === undefined || (number !== undefined && Number(number) !== known)) return code;
  return `call ${known}`;
}

function parseRaw(value: bigint): Instruction {
  const low = Number(value & 0xffffffffn);
  return {
    opcode: low & 0xff,
    destination: (low >> 8) & 0xf,
    source: (low >> 12) & 0xf,
    offset: low >> 16,
    immediate: Number(BigInt.asIntN(32, value >> 32n)),
  };
}

/** Undefined where a number does not fit its field, is not the one that the form has, or contradicts another. */
function build(form: CompiledForm, tokens: readonly Token[]): Instruction[] | undefined {
  const { opcode, source = 0, offset = 0, immediate = 0 } = form;
  const values = tokens.flatMap(({ value }) => (value === undefined ? [] : [value]));
  const fields = new Map<string, number>();
  for (const [index, { operand, literal }] of form.places.entries()) {
    const value = values[index] ?? 0n;
    if (literal !== undefined) {
      if (literal !== value) return undefined;
      continue;
    }
    const wide = operand === 'l';
    if (!fits(value, wide ? 'wide' : (fieldOf(operand) ?? ''))) return undefined;
    const field = fieldOf(operand) ?? '';
    const bits = field === 'immediate' || field === 'second' ? BigInt.asIntN(32, value) : value;
    if (fields.has(field) && fields.get(field) !== Number(bits)) return undefined;
    fields.set(field, Number(bits));
    if (wide) fields.set('second', Number(BigInt.asIntN(32, value >> 32n)));
  }
  const instruction = { opcode, destination: 0, source, offset, immediate };
  const first = {
    ...instruction,
    ...Object.fromEntries([...fields].filter(([field]) => field !== 'second')),
  };
  if (opcode !== LOAD_IMMEDIATE_64) return [first];
  return [first, { ...EMPTY, immediate: fields.get('second') ?? 0 }];
}

function fits(value: bigint, field: string): boolean {
  switch (field) {
    case 'destination':
    case 'source':
      return value >= 0n && value <= 15n;
    case 'offset':
      return value >= -0x8000n && value <= 0x7fffn;
    case 'wide':
      return value >= -(2n ** 63n) && value < 2n ** 64n;
    default:
      return value >= -0x8000_0000n && value <= 0xffff_ffffn;
  }
}
