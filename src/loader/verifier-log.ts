import { readClassicLog } from './verifier-classic-log.ts';
import { readDiagnostics } from './verifier-diagnostics.ts';
import type { VerifierReport } from './verifier-report.ts';

/**
 * What a verifier log says of a refusal. Linux 7.3 adds to the terse lines that it always had a report with headings,
 * "Reason:", "At:", "Suggestion:" (kernel/bpf/diagnostics.c); that comes first where it is there.
 *
 * @returns undefined where the log gives no reason
 */
export function readVerifierLog(log: string): VerifierReport | undefined {
  return readDiagnostics(log) ?? readClassicLog(log);
}
