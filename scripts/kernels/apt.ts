/**
 * Debian packages of any release, downloaded and unpacked and never installed. The mirror is the machine's own; the
 * lists are private, so the machine's apt sees nothing of it.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from './cache-folder.ts';
import { KernelRunFailure } from './failure.ts';

const SOURCES = '/etc/apt/sources.list.d/debian.sources';

export class Apt {
  readonly #folder: string;
  readonly #suites: readonly string[];

  /** `name` is that of the lists in the cache. */
  constructor(name: string, suites: readonly string[]) {
    this.#folder = cacheFolder('apt', name);
    this.#suites = suites;
  }

  update(): void {
    for (const part of ['lists', 'archives']) {
      mkdirSync(join(this.#folder, part, 'partial'), { recursive: true });
    }
    const mirror = ownMirror();
    const lines = this.#suites.map((suite) => `deb ${mirror} ${suite} main\n`);
    writeFileSync(join(this.#folder, 'sources.list'), lines.join(''));
    this.#run('apt-get', ['update']);
  }

  /** Names of packages that contain `text`. */
  search(text: string): string[] {
    const found = this.#run('apt-cache', ['search', '--names-only', text]);
    return found.split('\n').map((line) => line.split(' ', 1)[0] ?? '');
  }

  /** Downloads into `folder` exactly these. */
  download(packages: readonly string[], folder: string): void {
    this.#run('apt-get', ['download', ...packages], folder);
  }

  /** Downloads packages and whatever of their dependencies this machine lacks. Returns the files. */
  downloadMissing(packages: readonly string[], { release }: { release: string }): string[] {
    const flags = ['--download-only', '-y', '--no-install-recommends', '-t', release];
    this.#run('apt-get', [...flags, 'install', ...packages]);
    const archives = join(this.#folder, 'archives');
    return readdirSync(archives)
      .filter((name) => name.endsWith('.deb'))
      .map((name) => join(archives, name));
  }

  #run(command: 'apt-get' | 'apt-cache', args: readonly string[], cwd = this.#folder): string {
    const settings = [
      `Dir::Etc::sourcelist=${this.#folder}/sources.list`,
      'Dir::Etc::sourceparts=/nonexistent',
      `Dir::State::Lists=${this.#folder}/lists`,
      `Dir::Cache=${this.#folder}`,
      'APT::Sandbox::User=root',
      // Nothing of the machine is changed, so nobody has to wait for anybody.
      'Debug::NoLocking=1',
    ];
    const options = settings.flatMap((setting) => ['-o', setting]);
    try {
      return execFileSync(command, [...(command === 'apt-get' ? ['-qq'] : []), ...options, ...args], {
        cwd,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
        maxBuffer: 1 << 26,
      });
    } catch (cause) {
      const { stderr } = cause as { stderr?: string };
      const said = stderr?.trim() ?? String(cause);
      throw new KernelRunFailure(`${command} ${args.join(' ')} failed: ${said}`, { cause });
    }
  }
}

export function unpack(packages: readonly string[], folder: string): void {
  for (const file of packages)
    execFileSync('dpkg', ['-x', file, folder], { stdio: ['ignore', 'ignore', 'inherit'] });
}

function ownMirror(): string {
  const text = existsSync(SOURCES) ? readFileSync(SOURCES, 'utf8') : '';
  const mirror = /^URIs:\s*(\S+)/m.exec(text)?.[1];
  if (mirror === undefined) {
    throw new KernelRunFailure(`Cannot find packages: ${SOURCES} names no mirror; the kernels are Debian's`);
  }
  return mirror;
}

/** `bookworm`. */
export function ownRelease(): string {
  const text = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  const release = /^VERSION_CODENAME=(\S+)/m.exec(text)?.[1];
  if (release === undefined || !/^ID=debian$/m.test(text)) {
    throw new KernelRunFailure('Cannot find QEMU: its package is unpacked on Debian only');
  }
  return release;
}
