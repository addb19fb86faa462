/** What programs are attached to in tests, and what makes them run. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { Collection, ObjectFile } from '../../src/index.ts';
import { EtherType, Protocol, ethernet, ipv4, pattern, udp } from '../fixtures/frames.ts';
import { runClang } from './clang.ts';
import { makeCgroup } from './control-group.ts';
import { BpfFileSystem, ip } from './kernel-objects.ts';
import { isTooOld, skipWhole } from './lacking.ts';
import { ObjectFolder } from './object-source.ts';
import { needTracefs } from './tracefs.ts';
import { VethPair } from './veth.ts';
import { inProject } from './project-root.ts';

const frame = ethernet(
  EtherType.Ipv4,
  ipv4({ protocol: Protocol.Udp }, udp({ sourcePort: 1, destinationPort: 2 }, pattern(8))),
);

/** A network namespace, a cgroup, a bpf file system and a program to trace; `close()` removes all of it. */
export class AttachWorld {
  readonly pair = VethPair.open();
  readonly bpffs = new BpfFileSystem();
  readonly folder = new ObjectFolder();
  readonly cgroup = makeCgroup('world');
  readonly traced: string;
  readonly object: string;
  readonly #scratch = mkdtempSync(join(tmpdir(), 'ts-xdp-traced-'));

  constructor() {
    ip('link set lo up', this.netnsName);
    this.traced = join(this.#scratch, 'traced');
    const source = inProject('test/fixtures/link/traced.c');
    const options = ['-O1', '-Wall', '-Werror'];
    runClang(source, { output: this.traced, options, linked: true });
    chmodSync(this.traced, 0o755);
    const target = process.arch === 'arm64' ? '__TARGET_ARCH_arm64' : '__TARGET_ARCH_x86';
    this.object = this.folder.compile('link/kinds', { name: 'kinds', defines: { [target]: '1' } });
    needTracefs();
  }

  get netnsName(): string {
    return String(this.pair.namespaceName);
  }

  /** Loads some programs of the object, `on_…`. */
  load(...programs: readonly string[]): Collection {
    return Collection.load(ObjectFile.open(this.object), { programs });
  }

  /**
   * Runs an action with programs of the object, which run for this process alone and are closed afterwards. A kernel that is
   * too old for it is said, and is no failure.
   */
  async withPrograms(
    t: Test,
    programs: readonly string[],
    action: (collection: Collection) => void | Promise<void>,
  ): Promise<void> {
    let collection: Collection | undefined;
    try {
      collection = this.load(...programs);
      collection.variable('only_pid').set(process.pid);
      await action(collection);
    } catch (error) {
      if (!isTooOld(error)) throw error;
      skipWhole(t, error.message);
    } finally {
      collection?.close();
    }
  }

  /** Sends a frame from the one end of the pair to the other. */
  sendFrame(): void {
    const socket = this.pair.openPacketSocket();
    socket.send(frame);
    socket.close();
  }

  /** Runs bash in the cgroup. */
  inCgroup(script: string): void {
    run('bash', ['--norc', '-c', `echo $$ > ${this.cgroup}/cgroup.procs && { ${script}; }`]);
  }

  /** Runs bash in the network namespace. */
  inNamespace(script: string): void {
    run('ip', ['netns', 'exec', this.netnsName, 'bash', '--norc', '-c', script]);
  }

  /** Runs the program that is traced; returns what it printed. */
  runTraced(): string {
    return run(this.traced, []);
  }

  close(): void {
    rmdirSync(this.cgroup);
    this.pair.close();
    this.bpffs.close();
    this.folder.close();
    rmSync(this.#scratch, { recursive: true });
  }
}

function run(command: string, args: readonly string[]): string {
  // What tap puts into NODE_OPTIONS is for its own children.
  const { PATH = '' } = process.env;
  const { status, stdout, stderr } = spawnSync(command, [...args], { encoding: 'utf8', env: { PATH } });
  if (status !== 0) throw new Error(`${command} ended with ${String(status)}: ${stderr}`);
  return stdout;
}
