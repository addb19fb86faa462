import { dumpC, rawText, rawType, type Btf, type Json, type RawType } from '../../btf/index.ts';
import { NotFoundError } from '../../errors.ts';
import { ExitCode, UsageError } from '../exit-code.ts';
import type { Output } from '../output/output.ts';
import { runBtfShow } from './show.ts';
import { readBtfSource, type BtfSource } from './source.ts';

export interface BtfOptions {
  readonly action: string;
  readonly source?: string | undefined;
  /** Of what the kernel has: an id, a name, a tag. */
  readonly which?: string | undefined;
  readonly format?: 'c' | 'json' | 'raw';
  readonly root?: readonly string[];
  /** What the types of a file extend. */
  readonly base?: string;
}

/** Types of one piece of text: BTFs of 100,000 types need not become one string. */
const CHUNK = 4096;

/** Prints types, C unless something else is asked for, or lists the BTFs in the kernel. */
export async function runBtf(options: BtfOptions, output: Output): Promise<number> {
  const { action, source, which } = options;
  switch (action) {
    case 'show':
    case 'list':
      if (options.format !== undefined || (options.root ?? []).length > 0 || options.base !== undefined)
        throw new UsageError(`btf ${action} prints no types, so it goes without --format, --root and --base`);
      return runBtfShow(output, { id: shownId(source, which) });
    case 'dump':
      if (source === undefined)
        throw new UsageError('btf dump needs a source: an object, a BTF file, kernel, id ID, …');
      dump(readBtfSource(source, { which, base: options.base }), options, output);
      await output.flush();
      return ExitCode.Done;
    default:
      throw new UsageError(`btf cannot ${action}: it can dump, show and list`);
  }
}

function shownId(source: string | undefined, which: string | undefined): number | undefined {
  if (source === undefined) return undefined;
  if (source === 'id' && /^\d+$/.test(which ?? '')) return Number(which);
  throw new UsageError(`btf show takes nothing, or id and a number`);
}

function dump(source: BtfSource, { format, root = [] }: BtfOptions, output: Output): void {
  const { btf } = source;
  const named = root.flatMap((name) => typesNamed(btf, name));
  const roots = root.length === 0 ? source.roots : named;
  if (format === 'raw') dumpRaw(btf, roots ?? [...btf.ids()], output);
  else if (format === 'json' || (output.json && format === undefined)) {
    const types = (roots ?? [...btf.ids()]).map((id) => ({ id, ...jsonType(btf, id) }));
    output.result({ types }, JSON.stringify({ types }, undefined, 2));
  } else {
    const text = header(dumpC(btf, { roots }));
    output.result({ c: text }, text);
  }
}

function dumpRaw(btf: Btf, given: readonly number[], output: Output): void {
  // As bpftool, what a BTF has of its own: the base's types have been printed with the base.
  const ids = given.filter((id) => id >= btf.firstId);
  if (output.json) output.result({ types: ids.map((id) => rawJson(rawType(btf, id))) }, '');
  for (let start = 0; start < ids.length && !output.json; start += CHUNK) {
    const texts = ids.slice(start, start + CHUNK).map((id) => rawText(btf, id));
    output.result(null, texts.join('\n'));
  }
}

/** As bpftool, with numbers; a 64-bit value beyond what a JSON number holds is a string, as it would be another one. */
function rawJson(type: RawType): Json {
  const text = JSON.stringify(type, (_, value: unknown) => {
    if (typeof value !== 'bigint') return value;
    return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
  });
  return JSON.parse(text) as Json;
}

/** Every struct, union, enum and typedef of a name. */
function typesNamed(btf: Btf, name: string): number[] {
  const kinds = ['struct', 'union', 'enum', 'enum64', 'typedef'];
  const found = btf.findAll(name).filter((id) => kinds.includes(btf.kindOf(id)));
  if (found.length > 0) return found;
  throw new NotFoundError(
    'TYPE_NOT_FOUND',
    name,
    `Cannot find type ${name}: the BTF has no struct, union, enum or typedef of that name`,
  );
}

function jsonType(btf: Btf, id: number): Record<string, Json> {
  const text = JSON.stringify(btf.type(id), (_, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  );
  return JSON.parse(text) as Record<string, Json>;
}

/** As bpftool writes it: whoever includes it gets CO-RE relocations for all of its types. */
function header(declarations: string): string {
  return `#ifndef __VMLINUX_H__
#define __VMLINUX_H__

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute push (__attribute__((preserve_access_index)), apply_to = record)
#endif

${declarations}
#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute pop
#endif

#endif /* __VMLINUX_H__ */
`;
}
