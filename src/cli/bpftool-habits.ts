/** What bpftool takes before the command, and we after it. */
const LEADING: readonly string[] = ['-j', '--json', '-f', '--bpffs', '--verbose'];
/** The option of bpftool that takes a file, which btf takes as `--base`. */
const BASE: readonly string[] = ['-B', '--base-btf'];
/** What the list of a kind may be asked with. */
const OF_LISTS: readonly string[] = [...LEADING, '--pids'];
/** Kinds of objects that bpftool lists where nothing but the kind is said. */
const LISTED: readonly string[] = ['prog', 'map', 'link', 'net', 'perf', 'struct_ops', 'btf', 'token'];

/** Those whose next word is the command that takes the options. */
const GROUPS: readonly string[] = [
  ...['prog', 'map', 'link', 'net', 'perf', 'struct_ops', 'token'],
  ...['cgroup', 'feature', 'iter'],
];

/** The command line as our declarations have it: options behind the command, which is said. */
export function withoutHabits(argv: readonly string[]): string[] {
  const before = leadingOptions(argv);
  const [name, ...behind] = argv.slice(before.length);
  if (name === undefined) return [...argv];
  const between = leadingOptions(behind);
  const given = behind.slice(between.length);
  const rest = isList(name, given) ? ['show', ...given] : given;
  if (name === 'btf') return [name, ...withBtfOptions([...before, ...between, ...rest])];
  const words = GROUPS.includes(name) ? 1 : 0;
  return [name, ...rest.slice(0, words), ...before, ...between, ...rest.slice(words)];
}

function leadingOptions(words: readonly string[]): readonly string[] {
  let end = 0;
  for (let word = words[end]; word !== undefined; word = words[end]) {
    if (BASE.includes(word)) end += 2;
    else if (LEADING.includes(word)) end++;
    else break;
  }
  return words.slice(0, end);
}

/** `-B FILE`, and `format c` behind what is dumped, as the options that they are here. */
function withBtfOptions(words: readonly string[]): string[] {
  const format = words.lastIndexOf('format');
  // `btf dump file format` is about a file of that name.
  const source = words.indexOf('dump') + 1;
  const isOption = source > 0 && format > source && words[format + 1]?.startsWith('-') === false;
  return words.map((word, index) => {
    if (BASE.includes(word)) return '--base';
    return isOption && index === format ? '--format' : word;
  });
}

function isList(name: string, rest: readonly string[]): boolean {
  return LISTED.includes(name) && rest.every((word) => OF_LISTS.includes(word));
}
