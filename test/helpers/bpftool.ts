/** bpftool, and what a test asks of output that mirrors it. */
import { execFileSync, spawnSync } from 'node:child_process';

/** Another one than the first of PATH: a newer one knows more fields. */
const command = process.env['BPFTOOL'] ?? 'bpftool';

export type Document = string | number | boolean | null | Document[] | { [field: string]: Document };

export const noBpftool: string | false =
  spawnSync(command, ['version']).status === 0 ? false : 'bpftool is not installed';

export function bpftool(...args: readonly string[]): string {
  return execFileSync(command, [...args], { encoding: 'utf8', maxBuffer: 1 << 28 });
}

/** Its `-j`. */
export function bpftoolJson(...args: readonly string[]): Document {
  // Some versions show a link and then end as if that had failed.
  const { stdout, stderr } = spawnSync(command, ['-j', ...args], { encoding: 'utf8', maxBuffer: 1 << 28 });
  const document = JSON.parse(stdout) as Document;
  if (!isRecord(document) || !('error' in document)) return document;
  throw new Error(`bpftool ${args.join(' ')}: ${stdout}${stderr}`);
}

/** 7.1 for Debian 12's. */
export function bpftoolVersion(): number {
  const [, major = '0', minor = '0'] = /v(\d+)\.(\d+)/.exec(bpftool('version')) ?? [];
  return Number(major) * 100 + Number(minor);
}

/** Ours with those fields alone that bpftool has too: an old one lacks what a newer kernel tells. */
export function asBpftoolShows(ours: Document, theirs: Document): Document {
  if (Array.isArray(ours) && Array.isArray(theirs))
    return ours.map((one, index) => asBpftoolShows(one, theirs[index] ?? null));
  if (isRecord(ours) && isRecord(theirs))
    return Object.fromEntries(
      Object.entries(ours)
        .filter(([field]) => field in theirs)
        .map(([field, value]) => [field, asBpftoolShows(value, theirs[field] ?? null)]),
    );
  // A number where an old one has no name for a type.
  if (typeof ours === 'string' && typeof theirs === 'number') return theirs;
  return ours;
}

function isRecord(document: Document): document is { [field: string]: Document } {
  return typeof document === 'object' && document !== null && !Array.isArray(document);
}
