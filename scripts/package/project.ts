import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** How a command ended, with all that it said. */
export interface Outcome {
  readonly passed: boolean;
  readonly output: string;
}

/** An empty project of somebody else's, with packages installed from the registry and from files. */
export class Project {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async create(folder: string, packages: readonly string[]): Promise<Project> {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{"private":true,"type":"module"}');
    await execute('npm', ['install', '--no-audit', '--no-fund', '--silent', ...packages], { cwd: folder });
    return new Project(folder);
  }

  write(name: string, content: string | Uint8Array): void {
    writeFileSync(join(this.folder, name), content);
  }

  bin(name: string): string {
    return join(this.folder, 'node_modules/.bin', name);
  }

  async run(command: string, args: readonly string[]): Promise<Outcome> {
    const { PATH = '' } = process.env;
    try {
      const { stdout, stderr } = await execute(this.bin(command), [...args], {
        cwd: this.folder,
        env: { PATH, HOME: this.folder, NO_COLOR: '1' },
      });
      return { passed: true, output: `${stdout}${stderr}` };
    } catch (error) {
      const { stdout = '', stderr = '', message } = error as Error & { stdout?: string; stderr?: string };
      return { passed: false, output: `${message}\n${stdout}${stderr}` };
    }
  }
}
