/**
 * docs/guide.md, followed to the letter: its files are written, its commands run, and what it shows is compared with what
 * comes out. The word after a block's language says what it is: the name of a file, or which terminal. README.md's example
 * is compiled along with them, and run.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { EtherType, Protocol, ethernet, ipv4, pattern, udp } from '../fixtures/frames.ts';
import { notRoot, projectRoot } from '../helpers/cli.ts';
import { noClang } from '../helpers/object-source.ts';
import { until } from '../helpers/until.ts';
import { VethPair } from '../helpers/veth.ts';

interface Block {
  readonly language: string;
  readonly role: string;
  readonly text: string;
}

const guide = readFileSync(join(projectRoot, 'docs/guide.md'), 'utf8');
const blocks: Block[] = [...guide.matchAll(/^```(\w+) ?(\S*)\n(.*?)^```$/gms)].map(
  ([, language = '', role = '', text = '']) => ({ language, role, text }),
);

/** A shell and what it starts, in a process group of its own, as a terminal has it. */
class Terminal {
  output = '';
  readonly ended: Promise<unknown>;
  readonly #shell: ChildProcess;

  constructor(script: string, folder: string) {
    const { PATH = '' } = process.env;
    this.#shell = spawn('bash', ['--norc', '-e', '-c', script], {
      cwd: folder,
      env: { PATH, HOME: folder, LANG: 'C.UTF-8', npm_config_update_notifier: 'false' },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    for (const stream of [this.#shell.stdout, this.#shell.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    this.ended = once(this.#shell, 'close');
  }

  get exitCode(): number | null {
    return this.#shell.exitCode;
  }

  get over(): boolean {
    return this.#shell.exitCode !== null || this.#shell.signalCode !== null;
  }

  /** Ctrl-C: to everything that runs in the terminal. */
  async interrupt(): Promise<void> {
    if (!this.over && this.#shell.pid !== undefined) process.kill(-this.#shell.pid, 'SIGINT');
    await this.ended;
  }
}

/** The lines that the guide shows and the output lacks, or has in another order; `…` stands for anything. */
function missingLines(shown: string, output: string): string[] {
  const lines = output.split('\n');
  return shown
    .trimEnd()
    .split('\n')
    .filter((line) => {
      if (line === '…') return false;
      const pattern = new RegExp(`^${line.split('…').map(literally).join('.*')}$`);
      const found = lines.findIndex((candidate) => pattern.test(candidate));
      if (found >= 0) lines.splice(0, found + 1);
      return found < 0;
    });
}

function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

/** What `npm install` of the guide brings, from this checkout. */
function install(folder: string): void {
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  mkdirSync(join(folder, 'node_modules/.bin'), { recursive: true });
  const installed = { typescript: 'node_modules/typescript', '@types': 'node_modules/@types', 'ts-xdp': '' };
  for (const [name, path] of Object.entries(installed))
    symlinkSync(join(projectRoot, path), join(folder, 'node_modules', name));
  symlinkSync('../typescript/bin/tsc', join(folder, 'node_modules/.bin/tsc'));
  const command = join(folder, 'node_modules/.bin/ts-xdp');
  writeFileSync(command, '#!/bin/sh\nexec node node_modules/ts-xdp/dist/cli/main.js "$@"\n', { mode: 0o755 });
}

class Reader {
  readonly #folder: string;
  readonly #t: Test;
  #first: Terminal | undefined;
  #output = '';

  constructor(t: Test, folder: string) {
    this.#t = t;
    this.#folder = folder;
  }

  async follow({ language, role, text }: Block): Promise<void> {
    const first = this.#first;
    if (language === 'text') {
      const missing = (): string[] => missingLines(text, first?.output ?? this.#output);
      // What is said of a wait in vain is what the comparison says.
      if (first) await until(() => first.over || missing().length === 0).catch(() => undefined);
      this.#t.same(missing(), [], first?.output ?? this.#output);
      await this.close();
    } else if (language !== 'sh') {
      writeFileSync(join(this.#folder, role), text);
    } else if (role === 'setup') {
      install(this.#folder);
    } else if (role === 'first-terminal') {
      const terminal = new Terminal(text, this.#folder);
      this.#first = terminal;
      await until(() => terminal.over || terminal.output.includes('attached'));
    } else {
      const terminal = new Terminal(text, this.#folder);
      await terminal.ended;
      this.#output = terminal.output;
      this.#t.equal(terminal.exitCode, 0, `${text}${terminal.output}`);
    }
  }

  async close(): Promise<void> {
    await this.#first?.interrupt();
    this.#first = undefined;
  }
}

/** README.md's example for another interface than eth0. */
function readmeExample(interfaceName: string): string {
  const readme = readFileSync(join(projectRoot, 'README.md'), 'utf8');
  const [, example = ''] = /^```ts\n(.*?)^```$/ms.exec(readme) ?? [];
  const parts = example.split("'eth0'");
  if (parts.length !== 2) throw new Error(`This names no single interface:\n${example}`);
  return parts.join(`'${interfaceName}'`);
}

async function followExample(t: Test, { pair, folder }: { pair: VethPair; folder: string }): Promise<void> {
  t.not(pair.receiver.index, 2, 'an index that nobody would guess');
  const terminal = new Terminal(`ip netns exec ${String(pair.namespaceName)} node readme.js`, folder);
  try {
    await until(() => terminal.over || terminal.output.includes('attached'));
    // Until the map is filled, which is after that, packets are none of the sniffer's business.
    using socket = pair.openPacketSocket();
    const datagram = udp({ sourcePort: 40000, destinationPort: 443 }, pattern(5));
    const frame = ethernet(EtherType.Ipv4, ipv4({ protocol: Protocol.Udp }, datagram));
    await until(() => {
      socket.send(frame);
      return terminal.over || terminal.output.includes('dst_port');
    });
  } finally {
    await terminal.interrupt();
  }
  t.match(terminal.output, /^attached in native mode by link\n\{\n/);
  t.match(terminal.output, '  src_port: 40000,\n  dst_port: 443,\n');
  t.match(terminal.output, `  source_ifindex: ${String(pair.receiver.index)},\n`);
}

t.test('the guide', { skip: notRoot || noClang }, async (t) => {
  t.ok(blocks.length > 12, 'its blocks are found');
  const folder = t.testdir({});
  const reader = new Reader(t, folder);
  t.teardown(() => reader.close());
  using pair = VethPair.open();
  // Here, so that the guide's `npx tsc` compiles it too: a compiler of its own takes seconds.
  writeFileSync(join(folder, 'readme.ts'), readmeExample(pair.receiver.name));
  for (const block of blocks) await reader.follow(block);
  await t.test("README.md's example prints events", (t) => followExample(t, { pair, folder }));
});
