/** tcpdump beside what is under test, and what pcap-filter says of what it wrote. */
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './until.ts';
import type { VethPair } from './veth.ts';

export function whyNoTcpdump(): string | false {
  return spawnSync('tcpdump', ['--version']).status === 0 ? false : 'tcpdump is not installed';
}

/** Captures what arrives at the receiver of a pair, up to a number of packets. */
export class PacketCapture {
  readonly #folder = mkdtempSync(join(tmpdir(), 'ts-xdp-capture-'));
  readonly #file = join(this.#folder, 'packets.pcap');
  readonly #child: ChildProcess;
  #said = '';

  private constructor(pair: VethPair, packets: number) {
    // No names looked up, no promiscuous mode, each packet taken at once, into a buffer with room for more than eight of
    // them, and root all the time.
    const options = ['-n', '-p', '--immediate-mode', '-Z', 'root', '-s', '4096', '-i', pair.receiver.name];
    options.push('-c', String(packets));
    const command = ['netns', 'exec', String(pair.namespaceName), 'tcpdump', ...options, '-w', this.#file];
    this.#child = spawn('ip', command, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#said += text;
    });
  }

  static async start(pair: VethPair, packets: number): Promise<PacketCapture> {
    const capture = new PacketCapture(pair, packets);
    await until(() => capture.#said.includes('listening on'));
    return capture;
  }

  /** Waits until all are in the file. */
  async complete(): Promise<void> {
    await until(() => this.#child.exitCode !== null);
  }

  /** How many packets a filter takes, outside VLAN tags and behind one or two. */
  countTagged(filter: string): number {
    const behind = ['', 'vlan and ', 'vlan and vlan and '].map((tags) => this.count(`${tags}(${filter})`));
    return behind.reduce((sum, count) => sum + count, 0);
  }

  count(filter: string): number {
    const args = ['-n', '-Z', 'root', '--count', '-r', this.#file, ...(filter === '' ? [] : [filter])];
    const said = execFileSync('tcpdump', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return Number(/^(\d+) packets?$/m.exec(said)?.[1]);
  }

  close(): void {
    this.#child.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
