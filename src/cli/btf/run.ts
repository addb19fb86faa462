import { dumpC, type Btf, type Json } from '../../btf/index.ts';
import { NotFoundError } from '../../errors.ts';
import { ExitCode, UsageError } from '../exit-code.ts';
import type { Output } from '../output/output.ts';
import { readBtfSource } from './source.ts';

export interface BtfOptions {
  readonly action: string;
  readonly source: string;
  readonly format?: 'c' | 'json';
  readonly root?: readonly string[];
}

/** Prints types: C unless JSON is asked for. */
export async function runBtf(
  { action, source, format, root = [] }: BtfOptions,
  output: Output,
): Promise<number> {
  if (action !== 'dump') throw new UsageError(`btf cannot ${action}: dump is all that it does`);
  const btf = readBtfSource(source);
  const roots = root.length === 0 ? undefined : root.flatMap((name) => typesNamed(btf, name));
  if (format === 'json' || (output.json && format === undefined)) {
    const types = (roots ?? [...btf.ids()]).map((id) => ({ id, ...jsonType(btf, id) }));
    output.result({ types }, JSON.stringify({ types }, undefined, 2));
  } else {
    const text = header(dumpC(btf, { roots }));
    output.result({ c: text }, text);
  }
  await output.flush();
  return ExitCode.Done;
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
