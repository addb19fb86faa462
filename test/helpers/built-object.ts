/** The committed bpf/NAME.bpf.o against its sources, by the words of clang, llvm-objdump and bpftool. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { BPF_FLAGS, buildBpf, compileBpf, compilerVersion, hashSources } from '../../scripts/build-bpf.ts';
import type { BuildRecord } from '../../scripts/build-bpf.ts';
import { projectRoot as root } from './project-root.ts';

export function run(command: string, args: readonly string[]): string {
  return execFileSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 26 });
}

interface BtfMember {
  name: string;
  bits_offset: number;
}

interface BtfRecord {
  id: number;
  kind: string;
  name: string;
  size?: number;
  type_id?: number;
  members?: BtfMember[];
  vars?: { type_id: number }[];
}

/** One of the objects that come with the package. */
export class BuiltObject {
  readonly path: string;
  readonly #source: string;
  readonly #record: BuildRecord;
  readonly #btf: readonly BtfRecord[];

  constructor(name: string) {
    this.#source = `bpf/${name}.bpf.c`;
    this.path = join(root, `bpf/${name}.bpf.o`);
    this.#record = JSON.parse(readFileSync(`${this.path}.json`, 'utf8')) as BuildRecord;
    const dump = run('bpftool', ['-j', 'btf', 'dump', 'file', this.path]);
    this.#btf = (JSON.parse(dump) as { types: BtfRecord[] }).types;
  }

  /** Tests what holds for every object. `instructions` is how many there are at least. */
  testBuild(t: Test, { instructions }: { readonly instructions: number }): void {
    const [source, record] = [this.#source, this.#record];
    t.test('the object was built from the sources that lie beside it', (t) => {
      t.equal(hashSources(source, root), record.sourceSha256, 'run npm run build:bpf and commit the result');
      t.same(record.flags, BPF_FLAGS);
      t.same(buildBpf({ root, ifStale: true }), [], 'nothing is stale');
      t.end();
    });
    const skip = this.#otherCompiler();
    t.test('compiled again by the same compiler it has the same instructions', { skip }, (t) => {
      const folder = mkdtempSync(join(tmpdir(), 'ts-xdp-bpf-'));
      t.teardown(() => {
        rmSync(folder, { recursive: true });
      });
      const again = join(folder, 'again.bpf.o');
      compileBpf(source, { output: again, root });
      const committed = instructionsOf(this.path);
      t.ok(committed.length > instructions, 'there are instructions to compare');
      t.same(instructionsOf(again), committed);
      t.end();
    });
    t.test('no path of the machine that built it is in the object', (t) => {
      const text = readFileSync(this.path, 'latin1');
      const paths = [...text.matchAll(/[\w.-]*(?:\/[\w.-]+)+\.[ch]\b/g)].map(([path]) => path);
      t.ok(paths.includes(`./${source}`), 'source lines keep the path within the project');
      t.same(
        paths.filter((path) => !path.startsWith('./bpf/')),
        [],
      );
      t.end();
    });
  }

  /** What each variable of `.ts_xdp` points to, by its name: the kinds on the way, the struct's size and its members' offsets. */
  anchors(): Record<string, { kinds: string; shape: string[] }> {
    const section = this.#btf.find(({ kind, name }) => kind === 'DATASEC' && name === '.ts_xdp');
    return Object.fromEntries(
      (section?.vars ?? []).map(({ type_id }) => {
        const variable = this.#type(type_id);
        const kinds: string[] = [];
        let target = this.#type(variable.type_id);
        for (; target.kind !== 'STRUCT'; target = this.#type(target.type_id)) kinds.push(target.kind);
        return [variable.name, { kinds: kinds.join(' '), shape: shapeOf(target) }];
      }),
    );
  }

  /** `xdp capture_packet_data`, sorted. */
  programs(): string[] {
    const symbols = run('llvm-objdump', ['-t', this.path]);
    const functions = [...symbols.matchAll(/ F (\S+)\s+[0-9a-f]+ (\S+)$/gm)];
    return functions.map(([, section, name]) => `${String(section)} ${String(name)}`).sort();
  }

  /** Why this machine cannot compile the object as it was compiled; `false` where it can. */
  #otherCompiler(): string | false {
    const { compiler } = this.#record;
    try {
      const here = compilerVersion();
      return here === compiler ? false : `built by ${compiler}, here is ${here}`;
    } catch (error) {
      return `no clang: ${String(error)}`;
    }
  }

  #type(id: number | undefined): BtfRecord {
    const type = this.#btf.find((candidate) => candidate.id === id);
    if (type === undefined) throw new Error(`BTF of the object has no type ${String(id)}`);
    return type;
  }
}

/** Every instruction and relocation, without the line that names the file. */
function instructionsOf(path: string): string[] {
  return run('llvm-objdump', ['-d', '-r', path])
    .split('\n')
    .filter((line) => !line.includes('file format'));
}

/** `simple_event 566`, `src_ip @0`, …: the struct's size and its members' offsets. */
function shapeOf(struct: BtfRecord): string[] {
  return [
    `${struct.name} ${String(struct.size)}`,
    ...(struct.members ?? []).map(({ name, bits_offset }) => `${name} @${String(bits_offset / 8)}`),
  ];
}
