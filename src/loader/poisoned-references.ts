import { VerifierError } from '../errors.ts';
import type { ObjectFile } from '../elf/index.ts';

/**
 * What a call of an absent weak kfunc becomes, plus the extern's number: an invalid helper id that the verifier
 * names in its log should the call be reachable after all. libbpf uses the same number (POISON_CALL_KFUNC_BASE).
 */
export const POISONED_CALL = 2_002_000_000;

/** What a load of a map that was not created becomes, plus the map's number; libbpf's POISON_LDIMM64_MAP_BASE. */
export const POISONED_MAP = 2_001_000_000;

/** The numbers of one kind; the verifier spells them `invalid func unknown#2001000003`. */
const PLACES = 1_000_000;
const REFUSED_CALL = /^invalid func unknown#(\d+)$/gm;

/** Says which map or function is missing, where the verifier met the call that stands in for it. */
export function explainPoison(error: unknown, { maps, externs }: ObjectFile): unknown {
  if (!(error instanceof VerifierError)) return error;
  const number = Number([...error.log.matchAll(REFUSED_CALL)].at(-1)?.[1]);
  const [map, extern] = [nameAt(maps, number - POISONED_MAP), nameAt(externs, number - POISONED_CALL)];
  if (map !== undefined) {
    return explained(error, {
      summary: `it refers to map ${map}, which is not created`,
      rule: 'map-left-out',
      hint: 'let the map be created, or the program not get there',
    });
  }
  if (extern === undefined) return error;
  return explained(error, {
    summary: `it calls ${extern}, and this kernel has no function of that name that BPF may call`,
    rule: 'function-absent',
    hint: 'guard the call with bpf_ksym_exists()',
  });
}

function nameAt(named: ReadonlyMap<string, unknown>, index: number): string | undefined {
  return index >= 0 && index < PLACES ? [...named.keys()][index] : undefined;
}

function explained(
  { program, errno, errnoName, source, instruction, log }: VerifierError,
  { summary, rule, hint }: { summary: string; rule: string; hint: string },
): VerifierError {
  return new VerifierError({ program, errno, errnoName, summary, source, instruction, rule, log }, { hint });
}
