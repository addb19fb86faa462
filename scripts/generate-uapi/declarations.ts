/** A constant as it is declared: its value is left to the compiler. */
export interface DeclaredConstant {
  readonly name: string;
  /** The right-hand side, `''` where an enumerator has none. */
  readonly text: string;
  /** `enum bpf_cmd`, `enum` for an anonymous one, `macros`. */
  readonly group: string;
}

/**
 * Finds the constants that a header declares, in order, in the output of `clang -E -dD`, which has the macros and
 * tells by line markers what comes from where. BTF cannot: anonymous enums nothing refers to are not in it.
 */
export function declaredConstants(preprocessed: string): Map<string, DeclaredConstant[]> {
  const constants = new Map<string, DeclaredConstant[]>();
  for (const [header, { text, macros }] of splitByHeader(preprocessed)) {
    const seen = new Set<string>();
    constants.set(
      header,
      [...enumerators(text), ...macros].filter(({ name }) => {
        // Names that begin with underscores are the header's own: include guards, ends of enums.
        if (name.startsWith('__') || seen.has(name)) return false;
        seen.add(name);
        return true;
      }),
    );
  }
  return constants;
}

interface HeaderText {
  text: string;
  readonly macros: DeclaredConstant[];
}

function splitByHeader(preprocessed: string): Map<string, HeaderText> {
  const headers = new Map<string, HeaderText>();
  let current: HeaderText = { text: '', macros: [] };
  for (const line of preprocessed.split('\n')) {
    const marker = /^# \d+ "([^"]*)"/.exec(line);
    if (marker) {
      const header = marker[1]!;
      const known = headers.get(header);
      current = known ?? { text: '', macros: [] };
      if (known === undefined) headers.set(header, current);
      continue;
    }
    const macro = /^#define ([A-Za-z_]\w*) (.+)$/.exec(line);
    if (macro) current.macros.push({ name: macro[1]!, text: macro[2]!.trim(), group: 'macros' });
    if (!line.startsWith('#')) current.text += `${line}\n`;
  }
  return headers;
}

function enumerators(text: string): DeclaredConstant[] {
  const constants: DeclaredConstant[] = [];
  for (const match of text.matchAll(/\benum\b\s*(\w*)\s*\{([^}]*)\}/g)) {
    const group = `enum ${match[1] ?? ''}`.trim();
    for (const part of splitAtCommas(match[2] ?? '')) {
      const enumerator = /^\s*(\w+)\s*(?:=([\s\S]*))?$/.exec(part);
      if (enumerator) constants.push({ name: enumerator[1]!, text: (enumerator[2] ?? '').trim(), group });
    }
  }
  return constants;
}

/** Splits at the commas that stand outside of parentheses. */
function splitAtCommas(list: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < list.length; at++) {
    if (list[at] === '(') depth++;
    else if (list[at] === ')') depth--;
    else if (list[at] === ',' && depth === 0) {
      parts.push(list.slice(start, at));
      start = at + 1;
    }
  }
  parts.push(list.slice(start));
  return parts;
}
