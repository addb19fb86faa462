// Joins the modules that tsc has written into few: Node takes about a millisecond of processor time for each one that it
// loads, and a command needs three hundred. What tsc writes works as it is, too, only slower.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { build } from 'esbuild';
import { withOwnClassNames } from './own-class-names.mjs';

/** What others import or start by its path. */
const ENTRY_POINTS = [
  'index.js',
  'asm/index.js',
  'btf/index.js',
  'gen-runtime/index.js',
  'register/index.js',
  'register/hooks.js',
  'ringbuf/index.js',
  'ringbuf/worker-thread.js',
  'cli/run.js',
];

/**
 * Names stay as they are, so that a stack says where it was, and lines short enough for its column to say something. What
 * gets shorter saves a tenth of the start: constants of uapi stand where they are used, and layouts nobody uses are left out.
 */
const COMMON_OPTIONS = {
  bundle: true,
  packages: 'external',
  platform: 'node',
  target: 'node20',
  charset: 'ascii',
  minifySyntax: true,
  minifyWhitespace: true,
  lineLimit: 120,
  sourcemap: 'linked',
  sourcesContent: false,
  write: false,
  logLevel: 'warning',
};

/** Declarations are copied as they are. Files that are right already are left alone: somebody may be running them. */
export async function joinModules({ from, to }) {
  const builds = await Promise.all([joinShared, joinMain, joinLoad].map((join) => join({ from, to })));
  const outputFiles = builds.flatMap(({ outputFiles }) => outputFiles);
  checkPlaces(outputFiles, to);
  const declarations = readdirSync(from, { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.d.ts'),
  );
  const files = new Map([
    ...declarations.map((path) => [path, readFileSync(join(from, path))]),
    ...outputFiles.map((file) => [relative(to, file.path), contentsOf(file)]),
  ]);
  for (const [path, contents] of files) writeChanged(join(to, path), contents);
  for (const path of readdirSync(to, { recursive: true, encoding: 'utf8' })) {
    if (/\.(c?js|c?js\.map|d\.ts)$/.test(path) && !files.has(path)) rmSync(join(to, path));
  }
}

/** A CommonJS file ends with its hash, which src/cli/compile-cache.ts asks for at every start. */
function contentsOf({ path, contents, text }) {
  if (path.endsWith('.map')) return Buffer.from(contents);
  const code = withOwnClassNames(text);
  if (!path.endsWith('.cjs')) return Buffer.from(code);
  return Buffer.from(`${code}// ${createHash('sha256').update(code).digest('hex')}`);
}

/** The library and every command, in modules that they share. */
function joinShared({ from, to }) {
  return build({
    ...COMMON_OPTIONS,
    entryPoints: ENTRY_POINTS.map((path) => join(from, path)),
    outdir: to,
    outbase: from,
    // As deep as the folders of src, so that what is found from a module's own place is found from there.
    chunkNames: 'joined/[name]-[hash]',
    splitting: true,
    format: 'esm',
  });
}

/** What decides which of them is needed, by itself: among the shared ones it would import another for nothing. */
function joinMain({ from, to }) {
  return build({
    ...COMMON_OPTIONS,
    entryPoints: [join(from, 'cli/main.js')],
    outfile: join(to, 'cli/main.js'),
    external: ['./run.js'],
    format: 'esm',
  });
}

/** `load` alone, in one file: src/cli/joined-load.ts says why. It shares nothing with the library at run time. */
function joinLoad({ from, to }) {
  return joinCommonJs({ entryPoint: join(from, 'cli/run-load.js'), outfile: join(to, 'cli/load.cjs') });
}

/** One file of a module and all that it imports, for src/cli/compile-cache.ts: its code can be kept on Node 20, too. */
function joinCommonJs({ entryPoint, outfile }) {
  return build({
    ...COMMON_OPTIONS,
    entryPoints: [entryPoint],
    outfile,
    format: 'cjs',
    // What is compiled by vm.Script, for the sake of kept code, cannot import.
    supported: { 'dynamic-import': false },
    define: { 'import.meta.url': 'joinedUrl' },
    banner: { js: "const joinedUrl = require('node:url').pathToFileURL(__filename).href;" },
  });
}

/** The same for a module that is not part of dist. */
export async function writeCommonJs({ entryPoint, outfile }) {
  const { outputFiles } = await joinCommonJs({ entryPoint, outfile });
  for (const file of outputFiles) writeChanged(file.path, contentsOf(file));
}

/** A module that finds files from its own place would look for them in the wrong one. */
function checkPlaces(outputFiles, to) {
  const misplaced = outputFiles.find(
    ({ path, text }) => path.endsWith('.js') && dirname(path) === to && text.includes('import.meta.url'),
  );
  if (misplaced)
    throw new Error(`Cannot join modules: ${misplaced.path} looks for files from where it was not`);
}

function writeChanged(path, contents) {
  if (existsSync(path) && readFileSync(path).equals(contents)) return;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, contents);
}
