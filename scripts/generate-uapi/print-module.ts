import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Btf } from '../../src/btf/index.ts';
import type { Constant, CompiledHeaders } from './compile.ts';
import type { UapiHeader, UapiModule } from './modules.ts';
import { printBpfAttr, printStruct } from './print-struct.ts';
import type { PrintedStruct } from './print-struct.ts';

/** Prints every module and their index, by file name. */
export function printModules(
  headers: CompiledHeaders,
  modules: readonly UapiModule[],
  version: string,
): Map<string, string> {
  const banner = `// generated from Linux ${version} by scripts/generate-uapi.ts; do not edit\n`;
  const files = new Map<string, string>();
  const exported = new Map<string, string>();
  for (const module of modules) {
    const structs: PrintedStruct[] = [];
    let body = '';
    for (const header of module.headers) {
      const constants = headers.constants.get(header.path) ?? [];
      const ownStructs = withNested(headers.btf, header, exported);
      for (const { name } of [...constants, ...ownStructs]) {
        if (exported.has(name))
          throw new Error(`Cannot export ${name} of ${header.path}: another header has it too`);
        exported.set(name, module.name);
      }
      structs.push(...ownStructs);
      const enums = (header.enums ?? []).map((name) => printEnum(name, constants)).join('');
      body += `\n// ${header.path}\n${printConstants(constants)}${enums}${printStructs(ownStructs)}`;
    }
    files.set(`${module.name}.ts`, `${banner}\n${printImports(structs, module.name, exported)}${body}`);
  }
  const index = modules.map(({ name }) => `export * from './${name}.ts';\n`).join('');
  files.set('index.ts', `${banner}\n${index}`);
  return files;
}

/** The structs of a header, each after those it contains, which are printed here unless they have been before. */
function withNested(btf: Btf, header: UapiHeader, exported: ReadonlyMap<string, string>): PrintedStruct[] {
  const printed = new Map<string, PrintedStruct>();
  const add = (struct: PrintedStruct): void => {
    if (printed.has(struct.name) || exported.has(struct.name)) return;
    for (const name of struct.nested) add(printStruct(btf, name));
    printed.set(struct.name, struct);
  };
  for (const name of header.structs ?? []) add(printStruct(btf, name));
  if (header.path === 'linux/bpf.h') printBpfAttr(btf).forEach(add);
  return [...printed.values()];
}

function printImports(
  structs: readonly PrintedStruct[],
  module: string,
  exported: ReadonlyMap<string, string>,
): string {
  if (structs.length === 0) return '';
  const fieldTypes = new Set(structs.flatMap((struct) => [...struct.fieldTypes]));
  let text = `import { ${[...fieldTypes].sort().join(', ')} } from '../binary/index.ts';\n`;
  text += `import type { StructValue } from '../binary/index.ts';\n`;
  const foreign = new Set(
    structs.flatMap((struct) => [...struct.nested]).filter((name) => exported.get(name) !== module),
  );
  for (const name of foreign) text += `import { ${name} } from './${exported.get(name)!}.ts';\n`;
  return text;
}

function printConstants(constants: readonly Constant[]): string {
  let text = '';
  let group: string | undefined;
  for (const constant of constants) {
    if (constant.group !== group) text += `\n// ${constant.group}\n`;
    group = constant.group;
    text += `export const ${constant.name} = ${literal(constant)};\n`;
  }
  return text;
}

/** Hexadecimal where the header has it so, or shifts bits. Too large for an exact number: a bigint. */
function literal({ value, text }: Constant): string {
  const asBits = value > 9n && /0x|<</i.test(text);
  const digits = asBits ? `0x${value.toString(16)}` : value.toString();
  const exact = value <= BigInt(Number.MAX_SAFE_INTEGER) && value >= BigInt(Number.MIN_SAFE_INTEGER);
  return exact ? digits : `${digits}n`;
}

/** A function, since an object costs every start of the process, and the whole module as an object still more. */
function printEnum(name: string, constants: readonly Constant[]): string {
  const members = constants.filter(({ group }) => group === `enum ${name}`);
  if (members.length === 0) throw new Error(`Cannot list enum ${name}: its header has none`);
  const type = 'Readonly<Record<string, number>>';
  const lines = members.map((member) => `    ${member.name},\n`).join('');
  return `\nexport function enum_${name}(): ${type} {\n  return {\n${lines}  };\n}\n`;
}

function printStructs(structs: readonly PrintedStruct[]): string {
  return structs.map(({ text }) => `\n${text}`).join('');
}

/** The version of the pinned headers, `7.2.13`. */
export function kernelVersion(headerFolder: string): string {
  const text = readFileSync(join(headerFolder, 'linux/version.h'), 'utf8');
  const parts = ['MAJOR', 'PATCHLEVEL', 'SUBLEVEL'].map((part) => {
    const value = new RegExp(`LINUX_VERSION_${part} (\\d+)`).exec(text)?.[1];
    if (value === undefined) throw new Error(`Cannot find LINUX_VERSION_${part} in linux/version.h`);
    return value;
  });
  return parts.join('.');
}
