import { BtfError, ElfError, ObjectError, TsXdpError, VerifierError, type Fact } from '../../errors.ts';
import { UsageError } from '../exit-code.ts';

/** A bigint is printed as a number with all of its digits, for what has numbers in bpftool. */
export type Json = string | number | bigint | boolean | null | Json[] | { [name: string]: Json };

/** What the error report knows of the command. */
export interface ErrorContext {
  /** The object file that it worked on. */
  readonly object?: string | undefined;
}

/** An error as `--json` prints it: code, message, hint and the facts of its class. */
export function errorDocument(error: unknown, context: ErrorContext = {}): { error: Record<string, Json> } {
  if (error instanceof TsXdpError) {
    const { code, message, hint } = error;
    const object = objectOf(error, context);
    return {
      error: {
        code,
        message,
        ...(hint !== undefined && { hint }),
        ...(object !== undefined && { object }),
        ...jsonFacts(error.facts()),
      },
    };
  }
  if (error instanceof UsageError) return { error: { code: error.code, message: error.message } };
  const { name, message } = error instanceof Error ? error : { name: 'Error', message: String(error) };
  return { error: { code: 'INTERNAL', message: `${name}: ${message}` } };
}

/** An error as a person reads it; the verifier's whole log and the stack of a bug come with `verbose`. */
export function errorText(error: unknown, context: ErrorContext & { verbose: boolean }): string {
  const { verbose } = context;
  const lines: string[] = [];
  const object = objectOf(error, context);
  const place = object === undefined ? '' : `${object}: `;
  if (error instanceof TsXdpError || error instanceof UsageError)
    lines.push(`error: ${place}${error.message}`);
  else
    lines.push(`error: this is a bug of ts-xdp: ${error instanceof Error ? error.message : String(error)}`);
  const warnings = error instanceof TsXdpError ? (error.warnings ?? []) : [];
  lines.push(...warnings.map((warning) => `note: ${warning}`));
  const hint = error instanceof TsXdpError ? error.hint : undefined;
  const log = error instanceof VerifierError ? error.log : '';
  const suggestion = error instanceof VerifierError ? error.suggestion : undefined;
  if (suggestion !== undefined) lines.push(`hint: ${suggestion}`);
  else if (log === '' && hint !== undefined) lines.push(`hint: ${hint}`);
  if (log !== '')
    lines.push(
      verbose
        ? log.trimEnd()
        : `${suggestion === undefined ? 'hint' : 'note'}: --verbose prints the whole verifier log`,
    );
  if (!(error instanceof TsXdpError) && !(error instanceof UsageError) && verbose && error instanceof Error) {
    lines.push(error.stack ?? '');
  }
  return `${lines.join('\n')}\n`;
}

/** The file of an error about its contents: parsing works on bytes, so the message says only "the object". */
function objectOf(error: unknown, { object }: ErrorContext): string | undefined {
  const ofContents = error instanceof ElfError || error instanceof BtfError || error instanceof ObjectError;
  return ofContents ? object : undefined;
}

function jsonFacts(facts: Record<string, Fact>): Record<string, Json> {
  const json: Record<string, Json> = {};
  for (const [name, value] of Object.entries(facts)) {
    if (value !== undefined) json[snakeCase(name)] = jsonFact(value);
  }
  return json;
}

function jsonFact(fact: Fact): Json {
  if (typeof fact === 'bigint') return fact.toString();
  if (fact === undefined || fact === null) return null;
  if (typeof fact !== 'object') return fact;
  if (Array.isArray(fact)) return (fact as readonly Fact[]).map(jsonFact);
  return jsonFacts(fact as Record<string, Fact>);
}

/** JSON on the command line is spelled as C and bpftool spell: `program_id`. */
function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
