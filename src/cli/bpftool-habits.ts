/** What bpftool takes before the command, and we after it. */
const LEADING: readonly string[] = ['-j', '--json', '-f', '--bpffs', '--verbose'];
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
  const words = GROUPS.includes(name) ? 1 : 0;
  return [name, ...rest.slice(0, words), ...before, ...between, ...rest.slice(words)];
}

function leadingOptions(words: readonly string[]): readonly string[] {
  const end = words.findIndex((word) => !LEADING.includes(word));
  return end === -1 ? words : words.slice(0, end);
}

function isList(name: string, rest: readonly string[]): boolean {
  return LISTED.includes(name) && rest.every((word) => OF_LISTS.includes(word));
}
