import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { KernelRunFailure } from './failure.ts';

const MEBIBYTE = 1 << 20;
/** Of the file system itself, beside tables that grow with it, and for what a guest writes. */
const ROOM = 64 * MEBIBYTE;
const BLOCK = 4096;

/** Makes an ext4 image that holds a folder, owned by root. */
export function buildDiskImage(
  image: string,
  { folder, room = ROOM }: { folder: string; room?: number },
): void {
  const size = Math.ceil((sizeOnDisk(folder) * 1.1 + room) / MEBIBYTE);
  run('mke2fs', [
    ...['-q', '-F', '-t', 'ext4', '-d', folder, '-m', '0'],
    ...[
      '-E',
      'root_owner=0:0,lazy_itable_init=1',
      '-O',
      '^has_journal,^metadata_csum',
      '-N',
      String(inodes(folder)),
    ],
    ...[image, `${String(size)}M`],
  ]);
}

/** An image for what a guest leaves behind; sparse, so its size costs nothing. */
export function buildEmptyImage(image: string): void {
  run('mke2fs', ['-q', '-F', '-t', 'ext4', '-m', '0', '-O', '^has_journal', image, '1G']);
}

/** Copies all files of an image into a folder. */
export function extractDiskImage(image: string, folder: string): void {
  mkdirSync(folder, { recursive: true });
  run('debugfs', ['-R', `rdump / ${folder}`, image]);
}

function run(command: string, args: readonly string[]): void {
  try {
    execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (cause) {
    const { stderr } = cause as { stderr?: Buffer };
    throw new KernelRunFailure(
      `${command} ${args.join(' ')} failed: ${stderr?.toString().trim() ?? String(cause)}`,
      {
        cause,
      },
    );
  }
}

function entriesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' });
}

function sizeOnDisk(folder: string): number {
  const sizes = entriesOf(folder).map((path) => lstatSync(join(folder, path)).size);
  return sizes.reduce((sum, size) => sum + Math.ceil(size / BLOCK) * BLOCK, 0);
}

function inodes(folder: string): number {
  return entriesOf(folder).length + 8192;
}
