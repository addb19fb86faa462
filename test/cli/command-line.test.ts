/** What the command line itself refuses, and where help goes. */
import { readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import t from 'tap';
import { withoutHabits } from '../../src/cli/bpftool-habits.ts';
import { commandsFor } from '../../src/cli/commands.ts';
import { ExitCode, exitCodeOf, UsageError } from '../../src/cli/exit-code.ts';
import { ArgumentError, PermissionError, UnsupportedFeatureError } from '../../src/errors.ts';
import { cliMain, projectRoot, runCli } from '../helpers/cli.ts';
import { runHosted } from '../helpers/command-host.ts';
import { checkRefusal } from '../helpers/refusal.ts';
import type { Refusal } from '../helpers/refusal.ts';
import { snifferObject } from '../helpers/sniffer-events.ts';

const usage = (args: readonly string[], message: string, text?: string[]): Refusal => ({
  name: message,
  args,
  exit: 2,
  error: { code: 'USAGE', message },
  ...(text && { text }),
});
const wanted = (least: string): string => `a whole number from ${least} to 4294967295 is wanted`;
const withoutTypes = (action: string): string =>
  `btf ${action} prints no types, so it goes without --format, --root and --base`;
const help = '(--help shows what there is)';

const doNotParse: readonly Refusal[] = [
  usage(['load', snifferObject, '--bogus'], "unknown option '--bogus'"),
  usage(['lod'], "unknown command 'lod'\n(Did you mean load?)", [
    "error: unknown command 'lod'",
    '(Did you mean load?)',
    help,
  ]),
  usage(['load'], "missing required argument 'object'"),
  usage(['load', snifferObject, 'another'], "too many arguments for 'load'. Expected 1 argument but got 2."),
  usage(['load', snifferObject], 'load needs an interface: --iface NAME, or a --config that names one'),
  usage(['load', snifferObject, '--iface'], "option '--iface <name>' argument missing"),
  usage(
    ['load', snifferObject, '--iface', '--count', '1'],
    "option '--iface <name>' argument '--count' is invalid. A value is wanted, and this is another option",
  ),
  usage(
    ['load', snifferObject, '--iface', 'lo', '--count', '0'],
    "option '--count <n>' argument '0' is invalid. 0 is no count: a whole number above 0 is wanted",
  ),
  usage(
    ['load', snifferObject, '--iface', 'lo', '--duration', 'soon'],
    "option '--duration <time>' argument 'soon' is invalid. soon is no duration: write 500ms, 5s, 2m or 1h",
  ),
  usage(
    ['load', snifferObject, '--iface', 'lo', '--duration', '600h'],
    "option '--duration <time>' argument '600h' is invalid. 600h is too long: at most 596h",
  ),
  usage(
    ['load', snifferObject, '--pid', '-1'],
    "option '--pid <n>' argument '-1' is invalid. -1 is no process id: a whole number from 1 to 2147483647 is wanted",
  ),
  usage(
    ['load', snifferObject, '--iface', 'lo', '--multi', '--priority', '-1'],
    "option '--priority <n>' argument '-1' is invalid. -1 is no priority: a whole number from 0 to 4294967295 is wanted",
  ),
  usage(
    ['unload', '--iface', 'lo', '--id', '-3'],
    `option '--id <n>' argument '-3' is invalid. -3 is no id: ${wanted('1')}`,
  ),
  usage(['prog', 'show', 'id', '-3'], `-3 is no id: ${wanted('1')}`),
  usage(['map', 'dump', 'id', '4294967296'], `4294967296 is no id: ${wanted('1')}`),
  usage(['map', 'create', '/x', 'type', 'hash', 'key', '-4'], `-4 is no number for key: ${wanted('0')}`),
  usage(
    ['map', 'create', '/x', 'extra', '0x10000000000000000'],
    '0x10000000000000000 is no number for extra: a whole number from 0 to 18446744073709551615 is wanted',
  ),
  usage(
    ['load', snifferObject, '--iface', 'lo', '--mode', 'native,fast'],
    "option '--mode <list>' argument 'native,fast' is invalid. native,fast is no list of native, generic, offload",
  ),
  usage(
    ['load', snifferObject, '--iface', 'lo', '--via', 'magic'],
    "option '--via <kind>' argument 'magic' is invalid. Allowed choices are link, netlink.",
  ),
  usage(
    ['load', snifferObject, '--iface', 'lo', '--set', 'ports=1'],
    "option '--set <map[key]=value>' argument 'ports=1' is invalid. ports=1 sets nothing: write 'MAP[KEY]=VALUE'",
  ),
  usage(
    ['load', snifferObject, '--iface', 'lo', '--var', 'limit'],
    "option '--var <name=value>' argument 'limit' is invalid. limit assigns nothing: write NAME=VALUE",
  ),
  usage(
    ['load', snifferObject, '--iface', 'lo', '--detach', '--count', '3'],
    '--detach returns at once, so it goes without --count',
  ),
  usage(
    [
      ...['load', snifferObject, '--iface', 'lo', '--detach', '--protobuf', 'x.pb', '--trace'],
      ...['--event', 'events=simple_event', '--duration', '1s'],
    ],
    '--detach returns at once, so it goes without --duration, --event, --protobuf and --trace',
  ),
  usage(
    ['load', snifferObject, '--iface', 'lo', '--pin', '/sys/fs/bpf/x', '--via', 'netlink'],
    '--pin goes with --via link: an attachment by netlink cannot be pinned, and stays without it',
  ),
  usage(
    ['unload', '/sys/fs/bpf/x', '--netns', 'blue'],
    '--netns goes with --iface: it says in which namespace the interface is',
  ),
  usage(
    ['unload', 'prog', '5', '--iface', 'lo'],
    'unload prog frees what holds it wherever that is, so it goes without --iface',
  ),
  usage(
    ['trace', 'prog', '5', '--count', '3'],
    'trace prog prints what is there and ends, so it goes without --count',
  ),
  usage(['btf', 'show', '--format', 'c'], withoutTypes('show')),
  usage(['btf', 'list', '--root', 'x'], withoutTypes('list')),
  usage(['btf', 'show', '--base', 'kernel'], withoutTypes('show')),
  usage(
    ['unload'],
    'unload needs an interface (--iface NAME), a directory of pins, or what to free: prog, map or link and its id',
  ),
];

t.test('a command line that does not parse ends with 2', async (t) => {
  for (const row of doNotParse) await t.test(row.name.split('\n')[0] ?? '', (t) => checkRefusal(t, row));
});

t.test('a command line that begins with a command imports that alone', async (t) => {
  const all = await commandsFor([]);
  for (const { name } of all)
    t.same(
      (await commandsFor([name, '--help'])).map((entry) => entry.name),
      [name],
    );
  t.equal(new Set(all.map(({ name }) => name)).size, all.length);
  for (const first of ['lod', '--help', 'toString'])
    t.equal((await commandsFor([first])).length, all.length, first);
});

t.test('help and version are results: standard output, exit code 0', async (t) => {
  const manifest = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as { version: string };
  const [version, general, ofLoad, nothing] = await Promise.all([
    runHosted(['--version']),
    runHosted(['--help']),
    runHosted(['load', '--help']),
    runHosted([]),
  ]);
  t.same([version.code, version.stdout, version.stderr], [0, `${manifest.version}\n`, '']);
  t.equal(general.code, 0);
  for (const command of ['load', 'unload', 'doctor', 'repl']) t.match(general.stdout, `\n  ${command} `);
  t.equal(ofLoad.code, 0);
  for (const option of [
    'iface',
    'prog',
    'mode',
    'via',
    'replace',
    'netns',
    'event',
    'count',
    'duration',
    'detach',
  ])
    t.match(ofLoad.stdout, `--${option}`);
  for (const option of ['set', 'var', 'pin', 'config', 'trace', 'protobuf', 'json'])
    t.match(ofLoad.stdout, `--${option}`);
  t.same([nothing.code, nothing.stdout], [2, ''], 'without a command it is not clear what to do');
  t.match(nothing.stderr, 'Usage: ts-xdp [options] [command]');
});

t.test('what bpftool takes in words is understood', (t) => {
  const rows: readonly (readonly [given: string, meant: string])[] = [
    ['btf dump file vmlinux format c', 'btf dump file vmlinux --format c'],
    ['btf dump id 1 format raw', 'btf dump id 1 --format raw'],
    ['-B vmlinux btf dump file mod format c', 'btf --base vmlinux dump file mod --format c'],
    ['-j --base-btf vmlinux btf dump file mod', 'btf -j --base vmlinux dump file mod'],
    ['btf dump file format', 'btf dump file format'],
    ['btf dump format', 'btf dump format'],
    ['btf dump prog format --json', 'btf dump prog format --json'],
    ['btf dump prog format format c', 'btf dump prog format --format c'],
    ['-j btf', 'btf -j show'],
    ['-j prog', 'prog show -j'],
  ];
  for (const [given, meant] of rows) t.equal(withoutHabits(given.split(' ')).join(' '), meant, given);
  t.end();
});

t.test('the help shows defaults as a person would write them', async (t) => {
  for (const entry of await commandsFor([])) {
    if ('commands' in entry) continue;
    const { stdout } = await runHosted([entry.name, '--help']);
    t.notMatch(stdout, '(default: [])', entry.name);
    if (entry.name === 'top') t.match(stdout, 'between two looks (default: 1s)');
    if (entry.name === 'gen') t.match(stdout, '(default: "ts-xdp")');
  }
});

/** What the documentation says under headings with the name of a command. */
function documentationOf(name: string): string {
  const pages = ['docs/command-line.md', 'docs/kernel-objects.md'];
  const sections = pages.flatMap((page) => readFileSync(join(projectRoot, page), 'utf8').split(/^## /m));
  return sections.filter((section) => section.split('\n')[0]?.includes(`\`${name}\``) === true).join('\n');
}

const optionsIn = (text: string): string[] => text.match(/(?<![\w-])--[a-z][\w-]*/g) ?? [];
/** Of every command, and of other programs. */
const notTheirs = ['--json', '--help', '--verbose', '--decode'];

t.test('every command and option is documented, and every documented option exists', async (t) => {
  const all = new Set<string>();
  for (const entry of await commandsFor([])) {
    const text = documentationOf(entry.name);
    const commands = 'commands' in entry ? entry.commands : [entry];
    const options = commands.flatMap((command) =>
      (command.options ?? []).flatMap(({ flags }) => optionsIn(flags)),
    );
    const words = [entry.name, ...commands.map(({ name }) => name)];
    t.same(
      words.filter((word) => !new RegExp(`\\b${word}\\b`).test(text)),
      [],
      `${entry.name}: commands that are not documented`,
    );
    t.same(
      options.filter((option) => !optionsIn(text).includes(option)),
      [],
      `${entry.name}: options that are not documented`,
    );
    for (const option of options) all.add(option);
  }
  const page = readFileSync(join(projectRoot, 'docs/command-line.md'), 'utf8');
  t.same(
    optionsIn(page).filter((option) => !all.has(option) && !notTheirs.includes(option)),
    [],
    'documented options that no command has',
  );
});

t.test('results that a full disk does not take are an error', async (t) => {
  const full = ['sh', '-c', 'exec "$0" "$@" >/dev/full', process.execPath, cliMain];
  const lines = [
    ['inspect', snifferObject],
    ['inspect', snifferObject, '--json'],
    ['load', '--help'],
  ];
  for (const args of lines) {
    const { code, stderr } = await runCli(args, { command: full });
    t.equal(code, 1, args.join(' '));
    t.equal(stderr, 'error: Cannot write to standard output: ENOSPC\n');
  }
});

t.test('the exit code tells the kinds of failure apart', (t) => {
  t.same(ExitCode, { Done: 0, Failed: 1, Usage: 2, NotPermitted: 3, Unsupported: 4 });
  t.equal(exitCodeOf(new ArgumentError('x', 'Cannot')), 1);
  t.equal(exitCodeOf(new TypeError('a bug')), 1);
  t.equal(exitCodeOf(new UsageError('what?')), 2);
  t.equal(exitCodeOf(new PermissionError('bpf', 'EPERM', ['CAP_BPF'], 'Cannot')), 3);
  t.equal(exitCodeOf(new UnsupportedFeatureError('ring buffers', '5.8', 'Cannot')), 4);
  t.end();
});

/** A module that writes the address of everything that is imported after it to standard error. */
const tellImports = (): string => {
  const hooks = `
    import { writeSync } from 'node:fs';
    export function load(url, context, next) {
      writeSync(2, 'imports ' + url + '\\n');
      return next(url, context);
    }`;
  const address = (code: string): string => `data:text/javascript,${encodeURIComponent(code)}`;
  return address(`import { register } from 'node:module'; register(${JSON.stringify(address(hooks))});`);
};

/** The modules that a compiled one needs before it runs, itself included. */
function staticImports(path: string, found = new Set<string>()): Set<string> {
  if (found.has(path)) return found;
  found.add(path);
  const source = readFileSync(path, 'utf8');
  for (const [, imported = ''] of source.matchAll(/^(?:import|export|\}) .*["'](\.[^"']*\.js)["'];$/gm))
    staticImports(resolve(dirname(path), imported), found);
  return found;
}

t.test('load imports what it uses, since most of its start-up is that', async (t) => {
  const sources = join(projectRoot, 'build/src');
  const entries = ['cli/main.js', 'cli/commands/load.js', 'cli/load/run.js'];
  const needed = new Set(entries.flatMap((entry) => [...staticImports(join(sources, entry))]));
  const imports = [...needed].map((path) => relative(sources, path));
  t.ok(imports.includes('ringbuf/ring-buffer.js'));
  for (const folder of ['inspect', 'dispatcher', 'gen', 'repl', 'gen-runtime'])
    t.notOk(
      imports.some((path) => path.startsWith(`${folder}/`)),
      `${folder}: of other commands and options`,
    );
  for (const late of ['cli/load/configuration-file.js', 'cli/load/protobuf-output.js'])
    t.notOk(imports.includes(late), `${late}: of options that are not given, or of other commands`);

  const command = [process.execPath, '--import', tellImports(), join(projectRoot, 'dist/cli/main.js')];
  const importedBy = async (name: string): Promise<string[]> => {
    const { stderr } = await runCli([name, '/nonexistent/object.bpf.o'], { command });
    return [...stderr.matchAll(/^imports file:.*\/dist\/(.*)$/gm)].map(([, path = '']) => path);
  };
  t.ok(imports.length > 200, `${imports.length} modules`);
  const joined = (await importedBy('load')).filter((path) => path !== 'cli/load.cjs');
  t.same(joined, ['cli/main.js'], 'joined into one, and what looks for it');
  const loaded = readFileSync(join(projectRoot, 'dist/cli/load.cjs'), 'utf8');
  t.notMatch(loaded, /[^.\w]import\(/, 'vm.Script would refuse it');
  const shared = await importedBy('inspect');
  t.ok(shared.length > 5 && shared.length < 40, `${shared.length} for another command`);
});
