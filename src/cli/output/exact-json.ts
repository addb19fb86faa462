/** JSON whose integers may be larger than what a JavaScript number holds exactly. */
export type ExactJson =
  string | number | bigint | boolean | null | readonly ExactJson[] | { readonly [name: string]: ExactJson };

/** As JSON.stringify, with bigints as plain digits, which is how bpftool writes 64-bit integers. */
export function stringifyExact(value: ExactJson): string {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (isList(value)) return `[${value.map(stringifyExact).join(',')}]`;
  const fields = Object.entries(value).map(
    ([name, inner]) => `${JSON.stringify(name)}:${stringifyExact(inner)}`,
  );
  return `{${fields.join(',')}}`;
}

function isList(value: object): value is readonly ExactJson[] {
  return Array.isArray(value);
}
