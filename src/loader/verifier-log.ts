/** What a verifier log says, in short. */
export interface LogSummary {
  /** The reason, in the verifier's own words. */
  readonly reason: string;
  /** `file.c:42: the line of C`, where the log interleaves source. */
  readonly source: string | undefined;
}

/** Lines that end every log and are no reason. */
const STATISTICS = [
  /^processed \d+ insns/,
  /^verification time \d+/,
  /^stack depth /,
  /^max_states_per_insn/,
  /^mark_precise:/,
  /^\s*$/,
];
/** A line of C, `; if (x) @ file.c:42`; the place came with Linux 6.9. */
const SOURCE = /^; (?<code>.*?)(?: @ (?<place>\S+:\d+))?$/;

/**
 * Finds the reason of a refusal: the last line of the log that is not statistics. The source line is the last one
 * that was printed before it.
 *
 * Linux 7.3 announces blocks of "Verification failed", "Reason:", "At:", which are taken where they are found.
 */
export function summarizeLog(log: string): LogSummary | undefined {
  const lines = log.replaceAll('\0', '').split('\n');
  const labelled = summarizeLabelled(lines);
  if (labelled) return labelled;
  const at = lines.findLastIndex(
    (line) => !STATISTICS.some((pattern) => pattern.test(line)) && !SOURCE.test(line),
  );
  const reason = lines[at]?.trim();
  if (reason === undefined || reason === '') return undefined;
  const source = lines.slice(0, at).findLast((line) => SOURCE.test(line));
  return { reason, source: source === undefined ? undefined : describeSource(source) };
}

function summarizeLabelled(lines: readonly string[]): LogSummary | undefined {
  const labelled = (label: string): string | undefined =>
    lines
      .findLast((line) => line.trimStart().startsWith(`${label}:`))
      ?.trimStart()
      .slice(label.length + 1)
      .trim();
  if (!lines.some((line) => line.includes('Verification failed'))) return undefined;
  const reason = labelled('Reason');
  return reason === undefined ? undefined : { reason, source: labelled('At') };
}

function describeSource(line: string): string {
  const { code = '', place } = SOURCE.exec(line)?.groups ?? {};
  return place === undefined ? code.trim() : `${place}: ${code.trim()}`;
}
