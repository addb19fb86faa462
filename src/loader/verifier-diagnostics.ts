import type { SourceLine } from '../errors.ts';
import { findRule, readClassicLog } from './verifier-classic-log.ts';
import type { VerifierReport } from './verifier-report.ts';

const TITLE = 'Verification failed: ';
const HEADING = /^(\S[\w ]*):$/;
/** `  program @ file.c:42:7`, or without the function. */
const PLACE = /^ {2}(?:\S+ @ )?(?<file>.+):(?<line>\d+):\d+$/;
/** `  >>> 42 | return *value;` */
const MARKED = /^ {2}>>> +(?<number>\d+) \| (?<text>.*)$/;
const REGISTER = /\bR\d+\b/;

/**
 * Reads the report of Linux 7.3: a title "Verification failed: CATEGORY: PROBLEM", then headings with indented text
 * below. The terse lines of before stand in front of it, and tell what the report does not: registers, and our own rule.
 */
export function readDiagnostics(log: string): VerifierReport | undefined {
  const at = log.startsWith(TITLE) ? 0 : log.lastIndexOf(`\n${TITLE}`) + 1;
  if (at === 0 && !log.startsWith(TITLE)) return undefined;
  const [title = '', ...lines] = log.slice(at).split('\n');
  const sections = readSections(lines);
  const terse = readClassicLog(log.slice(0, at));
  const problem = title.slice(TITLE.length);
  const place = sections.get('At') ?? [];
  const summary = withoutPeriod(joined(sections.get('Reason'))) ?? problem;
  return {
    summary,
    reasons: terse?.reasons ?? [],
    instruction: markedInstruction(place) ?? instructionWithout(place) ?? terse?.instruction,
    source: sourceOf(place) ?? terse?.source,
    registers:
      terse?.registers.filter(({ register }) => !REGISTER.test(summary) || summary.includes(register)) ?? [],
    rule: findRule(terse?.reasons ?? [])?.rule.name ?? problem,
    suggestion: joined(sections.get('Suggestion')) ?? terse?.suggestion,
  };
}

function readSections(lines: readonly string[]): Map<string, string[]> {
  const sections = new Map<string, string[]>();
  let current: string[] | undefined;
  for (const line of lines) {
    const heading = HEADING.exec(line)?.[1];
    if (heading !== undefined) sections.set(heading, (current = []));
    else if (line.startsWith(' ')) current?.push(line);
    else if (line !== '') current = undefined;
  }
  return sections;
}

/** Long text is wrapped after 100 columns. */
function joined(lines: readonly string[] | undefined): string | undefined {
  const text = lines?.map((line) => line.trim()).join(' ');
  return text === '' ? undefined : text;
}

function withoutPeriod(text: string | undefined): string | undefined {
  return text?.replace(/\.$/, '');
}

function sourceOf(place: readonly string[]): SourceLine | undefined {
  const groups = PLACE.exec(place[0] ?? '')?.groups;
  if (!groups) return undefined;
  const marked = MARKED.exec(between(place, '  Source context:').find((line) => MARKED.test(line)) ?? '');
  return { file: groups['file'], line: Number(groups['line']), text: marked?.groups?.['text']?.trim() ?? '' };
}

function markedInstruction(place: readonly string[]): VerifierReport['instruction'] {
  const lines = between(place, '  Instruction context:');
  const groups = MARKED.exec(lines.find((line) => MARKED.test(line)) ?? '')?.groups;
  if (!groups) return undefined;
  const text = groups['text']?.replace(/^\([0-9a-f]{2}\) /, '').trim();
  return { index: Number(groups['number']), text };
}

/** Without line information: `  insn 4`. */
function instructionWithout(place: readonly string[]): VerifierReport['instruction'] {
  const index = /^ {2}insn (\d+)$/.exec(place[0] ?? '')?.[1];
  return index === undefined ? undefined : { index: Number(index), text: undefined };
}

/** What follows a line up to the next of its kind. */
function between(lines: readonly string[], title: string): readonly string[] {
  const from = lines.indexOf(title);
  if (from < 0) return [];
  const length = lines.slice(from + 1).findIndex((line) => /^ {2}\w[\w ]* context:$/.test(line));
  return lines.slice(from + 1, length < 0 ? undefined : from + 1 + length);
}
