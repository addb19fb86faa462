import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { KernelRunFailure } from './failure.ts';

const FOLDERS = [
  'dev',
  'etc',
  'mnt',
  'proc',
  'root',
  'run',
  'results',
  'sys',
  'tmp',
  'usr/bin',
  'usr/lib',
  'usr/lib64',
  'var',
];
/** As in every distribution since they merged /usr. */
const MERGED = { bin: 'usr/bin', sbin: 'usr/bin', 'usr/sbin': 'bin', lib: 'usr/lib', lib64: 'usr/lib64' };

/** The root file system of a guest while it is put together: busybox, and programs of this machine. */
export class RootFolder {
  readonly folder: string;

  /** `folder` is empty. */
  constructor(folder: string, { busybox }: { busybox: string }) {
    this.folder = folder;
    for (const name of FOLDERS) mkdirSync(join(folder, name), { recursive: true });
    for (const [name, target] of Object.entries(MERGED)) symlinkSync(target, join(folder, name));
    writeFileSync(
      join(folder, 'etc/passwd'),
      'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n',
    );
    writeFileSync(join(folder, 'etc/group'), 'root:x:0:\nnogroup:x:65534:\n');
    writeFileSync(join(folder, 'etc/hosts'), '127.0.0.1 localhost\n::1 localhost\n');
    cpSync(busybox, join(folder, 'usr/bin/busybox'));
    for (const applet of lines(execFileSync(busybox, ['--list'], { encoding: 'utf8' }))) {
      if (applet !== 'busybox') symlinkSync('busybox', join(folder, 'usr/bin', applet));
    }
  }

  /**
   * A program of this machine with its shared libraries; it comes before a busybox applet of the same name. False
   * where this machine lacks it.
   */
  addProgram(name: string): boolean {
    const path = name.includes('/') ? resolve(name) : findProgram(name);
    if (path === undefined || !existsSync(path)) return false;
    this.#replace(realpathSync(path), join('usr/bin', basename(name)));
    for (const library of librariesOf(path)) this.#replace(realpathSync(library), mergedPath(library));
    return true;
  }

  /** A file or folder of this machine at a path of the guest; symbolic links are kept. */
  add(from: string, to: string): void {
    cpSync(from, join(this.folder, mergedPath(to)), { recursive: true, verbatimSymlinks: true });
  }

  #replace(from: string, to: string): void {
    const target = join(this.folder, to);
    mkdirSync(dirname(target), { recursive: true });
    // `force` would write through a link to busybox into busybox itself.
    execFileSync('cp', ['--remove-destination', from, target]);
  }
}

function findProgram(name: string): string | undefined {
  const folders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

function librariesOf(path: string): string[] {
  // The loader itself stands alone on its line, libraries after an arrow; linux-vdso has no path.
  const text = ldd(path);
  const missing = /^\s*(\S+) => not found/m.exec(text);
  if (missing) throw new KernelRunFailure(`Cannot bring ${path} into a guest: it lacks ${missing[1] ?? ''}`);
  return [...text.matchAll(/(?:=> |^\s*)(\/\S+) \(0x/gm)].map((match) => match[1] ?? '');
}

/** Of a statically linked program or a script ldd says so, and fails. */
function ldd(path: string): string {
  try {
    return execFileSync('ldd', [path], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return '';
  }
}

/** Libraries are asked for by the paths that ldd gives, whose /lib is /usr/lib. */
function mergedPath(path: string): string {
  return path.replace(/^\/(bin|lib|lib64)\//, 'usr/$1/').replace(/^\/?(usr\/)?sbin\//, 'usr/bin/');
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}
