// The one entry of every npm script that needs more than one command. Plain JavaScript, because it has to run on
// a fresh clone before anything is installed.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, readFileSync, readdirSync, statSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = (name) => join(root, 'node_modules', '.bin', name);

/** Runs a command, its output shown as it comes; a failure ends everything with its exit code. */
function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (result.error) {
    console.error(`Cannot run ${command}: ${result.error.message}`);
    process.exit(1);
  }
  if (result.status !== 0) process.exit(result.status ?? 1);
}

/** Runs commands side by side, each of which keeps one processor busy. All have to succeed. */
async function runTogether(commands) {
  const children = commands.map(([command, args]) => spawn(command, args, { cwd: root, stdio: 'inherit' }));
  const codes = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0]));
  const failed = codes.find((code) => code !== 0);
  if (failed !== undefined) process.exit(failed ?? 1);
}

/** `npm ci` where node_modules is missing or older than the lock file. */
function install() {
  const stamp = join(root, 'node_modules', '.package-lock.json');
  const fresh =
    existsSync(stamp) && statSync(stamp).mtimeMs >= statSync(join(root, 'package-lock.json')).mtimeMs;
  if (!fresh) run('npm', ['ci', '--no-fund', '--no-audit', '--loglevel=error']);
}

const tsc = (project, ...options) => [process.execPath, [bin('tsc'), '-p', project, ...options]];
const modules = join(root, 'build/modules');
const compileModules = tsc(
  'tsconfig.build.json',
  ...['--outDir', modules, '--incremental', '--tsBuildInfoFile', join(modules, '.tsbuildinfo')],
);

const compileExamples = tsc('tsconfig.examples.json');

/** dist/: what tsc makes of src/, its modules joined into few. */
async function build() {
  install();
  run(...compileModules);
  await joinCompiled();
}

async function joinCompiled() {
  // esbuild is not there before the installation.
  const { joinModules } = await import('./join-modules.mjs');
  await joinModules({ from: modules, to: join(root, 'dist') });
}

let compiled = false;

/** Compiles everything, scripts and tests included, into build/. */
function compile() {
  if (compiled) return;
  install();
  run(...tsc('tsconfig.tools.json'));
  finishCompiling();
}

function finishCompiling() {
  // The sources look for the shipped objects two folders up, as in dist.
  if (!existsSync(join(root, 'build/bpf'))) symlinkSync('../bpf', join(root, 'build/bpf'));
  compiled = true;
}

/** Runs a script of the project. */
function script(path, args) {
  compile();
  run(process.execPath, ['--enable-source-maps', join(root, 'build', path), ...args]);
}

/** Compiles examples/ into build/examples, which finds ts-xdp by its name as everybody does: in dist. */
async function buildExamples() {
  if (!existsSync(join(root, 'dist/index.js'))) await build();
  run(...compileExamples);
  copyExampleObjects();
}

function copyExampleObjects() {
  const [from, to] = [join(root, 'examples/bpf'), join(root, 'build/examples/bpf')];
  for (const name of readdirSync(from))
    if (name.endsWith('.o')) copyFileSync(join(from, name), join(to, name));
}

async function example([name = '', ...args]) {
  const names = readdirSync(join(root, 'examples')).flatMap((file) => /^(.+)\.ts$/.exec(file)?.[1] ?? []);
  if (!names.includes(name)) {
    console.error(`Usage: npm run example -- NAME; there are: ${names.join(', ')}`);
    process.exit(2);
  }
  install();
  await buildExamples();
  run(process.execPath, ['--enable-source-maps', join(root, 'build/examples', `${name}.js`), ...args]);
}

function checkStatically() {
  install();
  run(process.execPath, [bin('prettier'), '--check', '--log-level', 'warn', '.']);
  run(...tsc('tsconfig.json'));
  run(process.execPath, [bin('eslint'), '.']);
  script('scripts/check-layers.js', []);
}

/** Tests run compiled: node-tap's own compiler takes seconds of processor time for each of their files. */
async function test(args) {
  await prepare();
  await runTests(args);
}

/** Everything that tests need of what is compiled: `dist` and `build`. */
async function prepare() {
  install();
  await runTogether([compileModules, tsc('tsconfig.tools.json')]);
  finishCompiling();
  await joinCompiled();
}

async function runTests(args) {
  script('scripts/install-test-tools.js', []);
  script('scripts/build-bpf.js', ['--if-stale']);
  await runTogether([compileExamples, ...buildTap()]);
  copyExampleObjects();
  run(process.execPath, [bin('tap'), ...args.map(compiledTest)]);
}

/**
 * node-tap is put together of its plugins at the first run, which goes on as it began, with those that .taprc leaves out:
 * a compiler of TypeScript in the process of every test file, seconds each.
 */
function buildTap() {
  const built = join(root, 'node_modules/@tapjs/test/test-built/dist/esm/index.js');
  const current = existsSync(built) && !readFileSync(built, 'utf8').includes('@tapjs/typescript');
  return current ? [] : [[process.execPath, [bin('tap'), 'build']]];
}

/** `test/btf/btf.test.ts` means what was compiled from it; everything else is for node-tap. */
function compiledTest(argument) {
  return argument.endsWith('.test.ts') ? join('build', argument.replace(/\.ts$/, '.js')) : argument;
}

const tasks = {
  build,
  check: async (args) => {
    checkStatically();
    await prepare();
    script('scripts/api-report.js', ['--check']);
    await runTests(args);
  },
  test,
  'test:kernels': async (args) => {
    await build();
    script('scripts/test-kernels.js', args);
  },
  'build:examples': buildExamples,
  example,
  'api-report': async (args) => {
    await build();
    script('scripts/api-report.js', args);
  },
  'test:package': async (args) => {
    await build();
    script('scripts/test-package.js', args);
  },
  docs: () => {
    install();
    const packages = ['typedoc@0.28.20', 'typedoc-plugin-markdown@4.14.1', 'typescript@6.0.3'];
    run('npx', ['--yes', ...packages.flatMap((name) => ['--package', name]), 'typedoc']);
  },
  demo: (args) => script('scripts/demo.js', args),
  'build:bpf': (args) => script('scripts/build-bpf.js', args),
  'generate:uapi': (args) => script('scripts/generate-uapi.js', args),
  fuzz: (args) => script('test/fuzz/main.js', args),
  conformance: async (args) => {
    await build();
    script('scripts/conformance.js', args);
  },
  bench: (args) => script('bench/main.js', args),
};

const [task, ...args] = process.argv.slice(2);
if (!Object.hasOwn(tasks, task)) {
  console.error(`Unknown task ${task}; there are: ${Object.keys(tasks).join(', ')}`);
  process.exit(2);
}
await tasks[task](args);
