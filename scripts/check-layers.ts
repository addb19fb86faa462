/**
 * Fails where an import goes upwards, reaches into another folder past its index, closes a cycle, or where koffi
 * is imported outside src/sys. The layers are those of docs/architecture.md.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';

const LAYERS: readonly (readonly string[])[] = [
  ['errors', 'binary', 'uapi', 'json'],
  ['asm', 'btf', 'elf', 'gen', 'filter'],
  ['sys', 'vm'],
  ['features', 'netlink'],
  ['maps', 'programs'],
  ['link', 'ringbuf'],
  ['loader'],
  ['sniffer', 'monitor', 'policy', 'mirror', 'inspect', 'debug', 'gen-runtime', 'dispatcher'],
  ['index'],
  ['cli', 'repl', 'register'],
];

/** Folders of one layer that may import each other, first the importer. */
const WITHIN_A_LAYER: Readonly<Record<string, readonly string[]>> = {
  binary: ['errors'],
  uapi: ['binary'],
  json: ['errors'],
  btf: ['asm'],
  elf: ['btf', 'asm'],
  gen: ['elf', 'btf', 'asm'],
  filter: ['asm'],
  cli: ['repl'],
};

interface Import {
  from: string;
  to: string;
  line: number;
  typeOnly: boolean;
}

const source = resolve('src');

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name));
}

/** `src/link/xdp.ts` belongs to `link`, `src/errors.ts` to `errors`. */
function folderOf(path: string): string {
  const [first = ''] = relative(source, path).split('/');
  return first.replace(/\.ts$/, '');
}

function importsOf(file: string): { specifier: string; line: number; typeOnly: boolean }[] {
  const parsed = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
  const found: { specifier: string; line: number; typeOnly: boolean }[] = [];
  const add = (node: ts.Node, specifier: ts.Expression, typeOnly: boolean): void => {
    if (!ts.isStringLiteral(specifier)) return;
    const { line } = parsed.getLineAndCharacterOfPosition(node.getStart());
    found.push({ specifier: specifier.text, line: line + 1, typeOnly });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      add(node, node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword);
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier)
      add(node, node.moduleSpecifier, node.isTypeOnly);
    else if (
      ts.isCallExpression(node) &&
      node.expression.kind === ts.SyntaxKind.ImportKeyword &&
      node.arguments[0]
    ) {
      add(node, node.arguments[0], false);
    }
    ts.forEachChild(node, visit);
  };
  visit(parsed);
  return found;
}

function judge(edge: Import): string | undefined {
  const [from, to] = [folderOf(edge.from), folderOf(edge.to)];
  if (from === to) return undefined;
  const [fromLayer, toLayer] = [from, to].map((name) => LAYERS.findIndex((layer) => layer.includes(name)));
  if (fromLayer === undefined || toLayer === undefined || fromLayer < 0 || toLayer < 0) {
    return `${fromLayer === -1 ? from : to} is in no layer`;
  }
  if (toLayer > fromLayer) return `${from} imports ${to} of a layer above`;
  if (toLayer === fromLayer && WITHIN_A_LAYER[from]?.includes(to) !== true) {
    return `${from} imports ${to} of its own layer`;
  }
  const entry = relative(source, edge.to);
  if (entry.includes('/') && entry !== `${to}/index.ts`)
    return `${from} reaches into ${entry} past its index`;
  return undefined;
}

function findCycle(graph: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  const path: string[] = [];
  const walk = (file: string): string[] | undefined => {
    const seenAt = path.indexOf(file);
    if (seenAt >= 0) return [...path.slice(seenAt), file];
    if (done.has(file)) return undefined;
    path.push(file);
    for (const next of graph.get(file) ?? []) {
      const cycle = walk(next);
      if (cycle) return cycle;
    }
    path.pop();
    done.add(file);
    return undefined;
  };
  for (const file of graph.keys()) {
    const cycle = walk(file);
    if (cycle) return cycle;
  }
  return undefined;
}

const problems: string[] = [];
const graph = new Map<string, string[]>();
for (const file of sourceFiles(source)) {
  const targets: string[] = [];
  graph.set(file, targets);
  for (const { specifier, line, typeOnly } of importsOf(file)) {
    const place = `${relative('.', file)}:${String(line)}`;
    if (specifier === 'koffi' && folderOf(file) !== 'sys') problems.push(`${place}: koffi outside src/sys`);
    if (!specifier.startsWith('.')) continue;
    const to = resolve(dirname(file), specifier);
    const problem = judge({ from: file, to, line, typeOnly });
    if (problem !== undefined) problems.push(`${place}: ${problem}`);
    targets.push(to);
  }
}
const cycle = findCycle(graph);
if (cycle) problems.push(`cycle: ${cycle.map((file) => relative('.', file)).join(' -> ')}`);
for (const problem of problems) console.error(problem);
console.log(`${String(graph.size)} files, ${String(problems.length)} problems with layers`);
if (problems.length > 0) process.exitCode = 1;
