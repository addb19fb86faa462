import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Btf } from '../../src/btf/index.ts';
import { at, Cursor, layout, u16, u32, u64 } from '../../src/binary/index.ts';
import { declaredConstants } from './declarations.ts';
import type { DeclaredConstant } from './declarations.ts';
import type { UapiModule } from './modules.ts';

/** A declared constant with the value that clang gives it. */
export interface Constant extends DeclaredConstant {
  readonly value: bigint;
}

/** What the headers hold, as clang sees it. */
export interface CompiledHeaders {
  /** By header, `linux/bpf.h`. */
  readonly constants: ReadonlyMap<string, readonly Constant[]>;
  readonly btf: Btf;
}

const elf64Header = layout('Elf64_Ehdr', 64, {
  shoff: at(40, u64),
  shnum: at(60, u16),
  shstrndx: at(62, u16),
});
const elf64Section = layout('Elf64_Shdr', 64, { name: at(0, u32), offset: at(24, u64), size: at(32, u64) });
const evaluated = layout('evaluated', 16, { value: at(0, u64), negative: at(8, u64) });

/** Compiles all headers of `modules` together. Throws where clang refuses them. */
export function compileHeaders(headerFolder: string, modules: readonly UapiModule[]): CompiledHeaders {
  const folder = mkdtempSync(join(tmpdir(), 'generate-uapi-'));
  try {
    const clang = new Clang(headerFolder, folder);
    const headers = modules.flatMap((module) => module.headers);
    const includes = headers.map(({ path }) => `#include <${path}>\n`).join('');
    const declared = declaredConstants(clang.preprocess(includes));
    const wanted = headers.map(({ path, constants }) => {
      const all = declared.get(join(headerFolder, path)) ?? [];
      return { path, constants: all.filter(({ name }) => constants?.test(name) ?? true) };
    });
    const anchors = headers
      .flatMap(({ structs = [] }) => structs)
      .map((name) => (name.startsWith('union ') ? name : `struct ${name}`))
      .map((type, index) => `${type} anchor_${String(index)};\n`)
      .join('');
    const names = wanted.flatMap(({ constants }) => constants.map(({ name }) => name));
    const { values, btf } = evaluate(clang, `${includes}${anchors}union bpf_attr anchor_attr;\n`, names);
    const constants = new Map(
      wanted.map(({ path, constants }) => [
        path,
        constants.flatMap((constant) => {
          const value = values.get(constant.name);
          return value === undefined ? [] : [{ ...constant, value }];
        }),
      ]),
    );
    return { constants, btf };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * Compiles a table with one line per constant. Macros that are no integer constant (types, attributes, strings) are
 * errors on their lines, and left out in the next attempt.
 */
function evaluate(
  clang: Clang,
  source: string,
  names: readonly string[],
): { values: Map<string, bigint>; btf: Btf } {
  let left = [...names];
  for (;;) {
    const before = `${source}struct { unsigned long long value, negative; } const values[] __attribute__((section(".values"))) = {\n`;
    const firstLine = before.split('\n').length;
    const table = left
      .map((name) => `{ (unsigned long long)((${name}) | 0), ((${name}) | 0) < 0 },\n`)
      .join('');
    const { object, errorLines } = clang.compile(`${before}${table}};\n`);
    if (object !== undefined)
      return { values: readValues(readSection(object, '.values'), left), btf: readBtf(object) };
    const refused = new Set(errorLines.map((line) => line - firstLine));
    const kept = left.filter((_, index) => !refused.has(index));
    if (kept.length === left.length) throw new Error(`Cannot compile the headers:\n${clang.messages}`);
    left = kept;
  }
}

function readBtf(object: Uint8Array): Btf {
  return Btf.parse(readSection(object, '.BTF'));
}

function readValues(section: Uint8Array, names: readonly string[]): Map<string, bigint> {
  return new Map(
    names.map((name, index) => {
      const { value, negative } = evaluated.decode(section, index * evaluated.size);
      return [name, negative === 0n ? value : BigInt.asIntN(64, value)];
    }),
  );
}

/** Reads a section of the object that clang has just written, which needs none of the care of foreign files. */
function readSection(object: Uint8Array, name: string): Uint8Array {
  const cursor = new Cursor(object);
  const header = elf64Header.decode(object);
  const section = (index: number): { name: number; offset: number; size: number } => {
    const found = elf64Section.decode(object, Number(header.shoff) + index * elf64Section.size);
    return { name: found.name, offset: Number(found.offset), size: Number(found.size) };
  };
  const names = section(header.shstrndx);
  for (let index = 0; index < header.shnum; index++) {
    const { name: nameOffset, offset, size } = section(index);
    if (cursor.string(names.offset + nameOffset) === name) return cursor.slice(offset, size);
  }
  throw new Error(`Cannot find section ${name} in what clang compiled`);
}

class Clang {
  messages = '';
  readonly #folder: string;
  readonly #options: readonly string[];

  constructor(headerFolder: string, folder: string) {
    this.#folder = folder;
    // linux/if.h wants struct sockaddr of the C library, the only thing that the kernel's headers lack.
    mkdirSync(join(folder, 'sys'));
    writeFileSync(
      join(folder, 'sys/socket.h'),
      'struct sockaddr { unsigned short sa_family; char sa_data[14]; };\n',
    );
    this.#options = [
      '--target=bpfel',
      '-nostdinc',
      `-I${headerFolder}`,
      `-I${folder}`,
      '-Wno-everything',
      '-ferror-limit=0',
    ];
  }

  preprocess(source: string): string {
    const input = this.#write(source);
    return this.#run(['-E', '-dD', input]).stdout;
  }

  compile(source: string): { object: Uint8Array | undefined; errorLines: number[] } {
    const input = this.#write(source);
    const output = join(this.#folder, 'uapi.o');
    const { status, stderr } = this.#run(['-g', '-O0', '-c', '-o', output, input]);
    this.messages = stderr;
    if (status === 0) return { object: readFileSync(output), errorLines: [] };
    // An error inside of a macro's text is reported where the macro is defined, with a note on where it is used.
    const uses = stderr.matchAll(/uapi\.c:(\d+):\d+: (?:error|note)/g);
    return { object: undefined, errorLines: [...uses].map((match) => Number(match[1])) };
  }

  #write(source: string): string {
    const path = join(this.#folder, 'uapi.c');
    writeFileSync(path, source);
    return path;
  }

  #run(options: readonly string[]): { status: number | null; stdout: string; stderr: string } {
    const result = spawnSync('clang', [...this.#options, ...options], {
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    });
    if (result.error) throw result.error;
    return result;
  }
}
