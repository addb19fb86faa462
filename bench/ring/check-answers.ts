import type { ReaderAnswer } from './reader-process.ts';

/** The two sides did not read the same events: whatever was measured says nothing. */
export class ChecksumMismatch extends Error {
  override readonly name = 'ChecksumMismatch';
}

/** @throws ChecksumMismatch where a side has read fewer events than it was to, or other fields than the first */
export function checkAnswers(answers: ReadonlyMap<string, ReaderAnswer>, events: number): void {
  let first: { name: string; checksum: number } | undefined;
  for (const [name, answer] of answers) {
    if (answer.events !== events) {
      throw new ChecksumMismatch(
        `Cannot compare: ${name} has read ${String(answer.events)} events of ${String(events)}`,
      );
    }
    first ??= { name, checksum: answer.checksum };
    if (answer.checksum !== first.checksum) {
      throw new ChecksumMismatch(
        `Cannot compare: the fields read by ${first.name} sum up to ${String(first.checksum)}, ` +
          `those read by ${name} to ${String(answer.checksum)}`,
      );
    }
  }
}
