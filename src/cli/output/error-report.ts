import { TsXdpError, VerifierError, type Fact } from '../../errors.ts';
import { UsageError } from '../exit-code.ts';

export type Json = string | number | boolean | null | Json[] | { [name: string]: Json };

/** An error as `--json` prints it: code, message, hint and the facts of its class. */
export function errorDocument(error: unknown): { error: Record<string, Json> } {
  if (error instanceof TsXdpError) {
    const { code, message, hint } = error;
    return { error: { code, message, ...(hint !== undefined && { hint }), ...jsonFacts(error.facts()) } };
  }
  if (error instanceof UsageError) return { error: { code: error.code, message: error.message } };
  const { name, message } = error instanceof Error ? error : { name: 'Error', message: String(error) };
  return { error: { code: 'INTERNAL', message: `${name}: ${message}` } };
}

/** An error as a person reads it; the verifier's whole log and the stack of a bug come with `verbose`. */
export function errorText(error: unknown, { verbose }: { verbose: boolean }): string {
  const lines: string[] = [];
  if (error instanceof TsXdpError || error instanceof UsageError) lines.push(`error: ${error.message}`);
  else
    lines.push(`error: this is a bug of ts-xdp: ${error instanceof Error ? error.message : String(error)}`);
  if (error instanceof TsXdpError && error.hint !== undefined) lines.push(`hint: ${error.hint}`);
  if (error instanceof VerifierError && error.log !== '') {
    lines.push(verbose ? error.log.trimEnd() : 'hint: --verbose prints the whole verifier log');
  }
  if (!(error instanceof TsXdpError) && !(error instanceof UsageError) && verbose && error instanceof Error) {
    lines.push(error.stack ?? '');
  }
  return `${lines.join('\n')}\n`;
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
