import type { Answer } from './loaders/ask.ts';

/** 0 accepted, otherwise an errno; null where a loader has none to give. */
export type Result = number | null;

export interface ProgramOutcome {
  readonly result: Result;
  /** What the loader says of a refusal. */
  readonly reason: string;
}

/** What one loader made of one object. */
export interface ObjectOutcome {
  /** Undefined where the loader gave no answer; then `reason` says why. */
  readonly whole: Result | undefined;
  readonly reason: string;
  readonly programs: ReadonlyMap<string, ProgramOutcome>;
}

interface LibbpfLine {
  readonly open: number;
  readonly load: Result;
  readonly programs: Readonly<Record<string, number>>;
}

interface OurLine {
  readonly error: Said | null;
  readonly load: Result;
  readonly load_error?: Said;
  readonly programs: Readonly<Record<string, OurProgram>>;
}

interface Said {
  readonly code: string;
  readonly message: string;
}

interface OurProgram {
  readonly errno: Result;
  readonly code?: string;
  readonly summary?: string;
}

export function readLibbpf(answers: readonly Answer[]): Map<string, ObjectOutcome> {
  return read(answers, (line) => {
    const { open, load, programs } = JSON.parse(line) as LibbpfLine;
    return {
      whole: open === 0 ? load : open,
      reason: open === 0 ? '' : 'does not open',
      programs: mapValues(programs, (result) => ({ result, reason: '' })),
    };
  });
}

/** Lines of `ts-xdp verify --json`. */
export function readOurs(answers: readonly Answer[]): Map<string, ObjectOutcome> {
  return read(answers, (line) => {
    const { error, load, load_error: loadError, programs } = JSON.parse(line) as OurLine;
    const said = error ?? loadError;
    return {
      whole: load,
      reason: said ? `${said.code}: ${said.message}` : '',
      programs: mapValues(programs, ({ errno, code, summary }) => ({
        result: errno,
        reason: code === undefined ? '' : `${code}: ${summary ?? ''}`,
      })),
    };
  });
}

function read(
  answers: readonly Answer[],
  readLine: (line: string) => ObjectOutcome,
): Map<string, ObjectOutcome> {
  return new Map(
    answers.map((answer) => [
      answer.object,
      'line' in answer
        ? readLine(answer.line)
        : { whole: undefined, reason: answer.missing, programs: new Map() },
    ]),
  );
}

function mapValues<From, To>(
  record: Readonly<Record<string, From>>,
  change: (value: From) => To,
): Map<string, To> {
  return new Map(Object.entries(record).map(([name, value]) => [name, change(value)]));
}
