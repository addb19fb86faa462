/** Something that an object needs of a kernel. */
export interface KernelNeed {
  /** The first Linux that has it: `5.8`. */
  readonly since: string;
  /** A sentence without a full stop: `map events is a ringbuf`. */
  readonly reason: string;
}

/** Less than 0 where the first version is older. */
export function compareVersions(first: string, second: string): number {
  const [[major = 0, minor = 0], [otherMajor = 0, otherMinor = 0]] = [numbersOf(first), numbersOf(second)];
  return major - otherMajor || minor - otherMinor;
}

function numbersOf(version: string): number[] {
  return version.split('.').map(Number);
}

/** The newest first, each reason once; those of one version in the order in which they were found. */
export function newestFirst(needs: readonly KernelNeed[]): KernelNeed[] {
  const byReason = new Map(needs.map((need) => [need.reason, need]));
  return [...byReason.values()].sort((a, b) => compareVersions(b.since, a.since));
}
