import type { InvolvedRegister, SourceLine } from '../errors.ts';
import type { VerifierReport } from './verifier-report.ts';
import { VERIFIER_RULES, type VerifierRule } from './verifier-rules.ts';

/** Lines that end every log and are no reason. */
const STATISTICS =
  /^(processed \d+ insns|verification time \d+|stack depth [\d+]+$|max_states_per_insn|mark_precise:|\s*$)/;
/** `5: (85) call bpf_map_lookup_elem#1    ; R0=…` */
const INSTRUCTION = /^(?<index>\d+): \([0-9a-f]{2}\) (?<text>.*?)(?:\s+; (?<state>.*))?$/;
/** `5: R1=ctx() R10=fp0`, `from 3 to 7: R0=…` and what introduces a function. */
const STATE =
  /^(\d+: |from \d+ to \d+: |func#\d+ @\d+$|Validating |Func#\d+ |returning from callee:|to caller at |caller:$|callee:$| frame\d+: )/;
/** `; if (x) @ file.c:42`; the place came with Linux 6.9. */
const SOURCE = /^; (?<text>.*?)(?: @ (?<file>\S+):(?<line>\d+))?$/;
/** States of an endless loop, which follow its reason. */
const STATES_OF_LOOP = /^(cur|old) state:/;
const REGISTER = /\bR(\d+)\b/g;
const OPERAND = /\b[rw](\d+)\b/g;
/** Further back than this, no state is of interest; a log may have a million lines. */
const LINES_FOR_STATES = 1000;

/** Reads a log from its end: the reason, then the instruction, the line of C and what the registers held. */
export function readClassicLog(log: string): VerifierReport | undefined {
  const reasons: string[] = [];
  let end = log.length;
  for (const { line, start } of linesBackwards(log, end)) {
    if (INSTRUCTION.test(line) || STATE.test(line) || SOURCE.test(line)) break;
    end = start;
    if (!STATISTICS.test(line)) reasons.unshift(line.trim());
  }
  const told = reasons.filter((line) => !STATES_OF_LOOP.test(line));
  const rule = findRule(told);
  const summary = rule?.line ?? told.at(-1);
  if (summary === undefined) return undefined;
  const instruction = findInstruction(log, end) ?? instructionOf(summary);
  const named = [summary, ...told.toReversed()].find((line) => line.match(REGISTER));
  const numbers = numbersOf(named ?? '', REGISTER);
  return {
    summary,
    reasons: told,
    instruction,
    source: findSource(log, end),
    registers: findStates(log, {
      end,
      numbers: numbers.length > 0 ? numbers : numbersOf(instruction?.text ?? '', OPERAND),
    }),
    rule: rule?.rule.name,
    suggestion: rule?.rule.suggestion,
  };
}

/** The rule that some lines are about, and the line that tells it best. */
export function findRule(lines: readonly string[]): { rule: VerifierRule; line: string } | undefined {
  for (const rule of VERIFIER_RULES) {
    const line = lines.findLast((candidate) => rule.pattern.test(candidate));
    if (line !== undefined) return { rule, line };
  }
  return undefined;
}

/** Without splitting the log: it may have a hundred megabytes. */
function* linesBackwards(log: string, from: number): Generator<{ line: string; start: number }, undefined> {
  let end = from;
  while (end > 0) {
    const start = log.lastIndexOf('\n', end - 1) + 1;
    yield { line: log.slice(start, end), start };
    end = start - 1;
  }
}

function findInstruction(log: string, end: number): VerifierReport['instruction'] {
  for (const { line } of linesBackwards(log, end)) {
    const groups = INSTRUCTION.exec(line)?.groups;
    if (groups) return { index: Number(groups['index']), text: (groups['text'] ?? '').trim() };
  }
  return undefined;
}

/** Refusals before the first instruction name one by its number: `unreachable insn 3`. */
function instructionOf(reason: string): VerifierReport['instruction'] {
  const index = /\binsn (\d+)/.exec(reason)?.[1];
  return index === undefined ? undefined : { index: Number(index), text: undefined };
}

/** The last line of C before the refusal; what the compiler made has the line 0 and no text. */
function findSource(log: string, end: number): SourceLine | undefined {
  for (let at = end; at > 0;) {
    const start = log.startsWith('; ') && at === 2 ? 0 : log.lastIndexOf('\n; ', at - 1) + 1;
    if (start === 0 && !log.startsWith('; ')) return undefined;
    const next = log.indexOf('\n', start);
    const groups = SOURCE.exec(log.slice(start, next < 0 ? log.length : next))?.groups;
    const text = groups?.['text']?.trim() ?? '';
    if (text !== '') return sourceLine(text, groups);
    at = start - 1;
  }
  return undefined;
}

function sourceLine(
  text: string,
  groups: Readonly<Record<string, string | undefined>> | undefined,
): SourceLine {
  const { file, line } = groups ?? {};
  return { file, line: line === undefined ? undefined : Number(line), text };
}

function numbersOf(text: string, pattern: RegExp): number[] {
  return [...new Set([...text.matchAll(pattern)].map(([, digits]) => Number(digits)))];
}

function findStates(
  log: string,
  { end, numbers }: { end: number; numbers: readonly number[] },
): InvolvedRegister[] {
  const states = new Map<number, string>();
  let lines = 0;
  for (const { line } of linesBackwards(log, end)) {
    if (states.size === numbers.length || lines++ > LINES_FOR_STATES) break;
    if (SOURCE.test(line)) continue;
    for (const number of numbers) {
      const state = states.has(number) ? undefined : stateIn(line, number);
      if (state !== undefined) states.set(number, state);
    }
  }
  return numbers.map((number) => ({ register: `R${number}`, state: states.get(number) }));
}

/** `map_value(map=a,ks=4,vs=8)` of `R0=map_value(map=a,ks=4,vs=8) R6=0`; older kernels mark `R0_w=`. */
function stateIn(line: string, number: number): string | undefined {
  const match = new RegExp(`\\bR${number}(?:_[rw]+)?=([^\\s(]*)(\\()?`).exec(line);
  if (!match) return undefined;
  const [whole, start = '', opened] = match;
  if (opened === undefined) return start;
  let depth = 0;
  const from = match.index + whole.length - 1;
  for (let at = from; at < line.length; at++) {
    if (line[at] === '(') depth++;
    else if (line[at] === ')' && --depth === 0) return start + line.slice(from, at + 1);
  }
  return undefined;
}
