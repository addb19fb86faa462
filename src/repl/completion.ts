/** What a completer of node:readline gives: the candidates, and the part of the line that they replace. */
export type Completion = [candidates: string[], replaced: string];

/** Where names come from. */
export interface CompletionSource {
  /** The names in `programs`, `maps` or `variables`. */
  members(group: string): Iterable<string>;
  /** Interfaces to attach to. */
  interfaces(): readonly string[];
  /** Interfaces that are attached to. */
  attached(): readonly string[];
}

const GROUPS = '(programs|maps|variables)';
/** `maps.`, `maps.rod`: property access, which Node completes except for names that are no identifiers. */
const PROPERTY = new RegExp(`(?:^|[^\\w$.])${GROUPS}\\.([\\w$.]*)$`);
/** `maps["`, `maps['.rod` */
const SUBSCRIPT = new RegExp(`(?:^|[^\\w$.])${GROUPS}\\[(["'\`]?)([^"'\`\\]]*)$`);
/** `collection.map("`, `object.variable('pay` */
const LOOKUP = /(?:^|[^\w$.])(?:collection|object)\.(program|map|variable)\((["'`])([^"'`)]*)$/;
const COMMAND = /^\s*\.(attach|detach|events)\s+(\S*)$/;

/**
 * Completes what Node's own completer does not know: names that are no identifiers, as those of `.rodata` and `.bss`,
 * names in subscripts and look-ups, and the arguments of commands. Undefined where that is all Node's.
 */
export function completeNames(line: string, source: CompletionSource): Completion | undefined {
  const command = COMMAND.exec(line);
  if (command) return completeArgument(command, source);
  const subscript = SUBSCRIPT.exec(line);
  if (subscript) {
    const [, group = '', quote = '', prefix = ''] = subscript;
    const names = startingWith(source.members(group), prefix);
    return [names.map((name) => subscripted(group, name, quote)), `${group}[${quote}${prefix}`];
  }
  const lookup = LOOKUP.exec(line);
  if (lookup) {
    const [, kind = '', quote = '', prefix = ''] = lookup;
    const names = startingWith(source.members(`${kind}s`), prefix);
    return [names.map((name) => `${quote}${name}${quote})`), `${quote}${prefix}`];
  }
  const property = PROPERTY.exec(line);
  if (!property) return undefined;
  const [, group = '', prefix = ''] = property;
  return completeProperty(group, prefix, source);
}

/**
 * All members, those that dots cannot reach written as subscripts. `maps.rodata` and `maps..rodata` both mean
 * `maps[".rodata"]`.
 */
function completeProperty(group: string, prefix: string, source: CompletionSource): Completion | undefined {
  const candidates: string[] = [];
  for (const name of source.members(group)) {
    if (/^[\w$]+$/.test(name)) {
      if (name.startsWith(prefix)) candidates.push(`${group}.${name}`);
    } else if (name.startsWith(prefix) || name.startsWith(`.${prefix}`)) {
      candidates.push(subscripted(group, name, '"'));
    }
  }
  return candidates.length === 0 ? undefined : [candidates, `${group}.${prefix}`];
}

function completeArgument(
  [, command = '', prefix = '']: RegExpExecArray,
  source: CompletionSource,
): Completion {
  const names =
    command === 'events' ? ['on', 'off'] : command === 'attach' ? source.interfaces() : source.attached();
  return [startingWith(names, prefix), prefix];
}

function subscripted(group: string, name: string, quote: string): string {
  const mark = quote === '' ? '"' : quote;
  return `${group}[${mark}${name}${mark}]`;
}

function startingWith(names: Iterable<string>, prefix: string): string[] {
  return [...names].filter((name) => name.startsWith(prefix));
}
