/**
 * Writes api/*.api.md: what the package promises, by the declarations that are published. A change of the public API is a
 * change of these files, for a reviewer to see.
 *
 *     npm run api-report               writes them
 *     npm run api-report -- --check    fails where they would change, or where something public has no doc comment
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import ts from 'typescript';

const FOLDER = 'api';

interface EntryPoint {
  /** As it is imported: `ts-xdp/btf`. */
  readonly name: string;
  readonly declarations: string;
}

/** What is exported somewhere, and where it is first. */
interface Api {
  readonly checker: ts.TypeChecker;
  readonly homes: ReadonlyMap<ts.Symbol, string>;
}

function entryPoints(): EntryPoint[] {
  const { name, exports } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    name: string;
    exports: Record<string, string | { types: string }>;
  };
  return Object.entries(exports).flatMap(([path, target]) =>
    typeof target === 'string' ? [] : [{ name: join(name, path), declarations: target.types }],
  );
}

/** In an order that no locale changes. */
function sortByName<Item>(items: Iterable<Item>, nameOf: (item: Item) => string): Item[] {
  const keyed = [...items].map((item) => ({ item, name: nameOf(item) }));
  return keyed.sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name))).map(({ item }) => item);
}

function exportsOf(checker: ts.TypeChecker, file: ts.SourceFile): ts.Symbol[] {
  const module = checker.getSymbolAtLocation(file);
  // A module that only acts, like ts-xdp/register, exports nothing.
  return sortByName(module ? checker.getExportsOfModule(module) : [], (symbol) => symbol.name);
}

function resolveAlias(checker: ts.TypeChecker, symbol: ts.Symbol): ts.Symbol {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
}

/** The whole statement, since `export declare const` is around what the symbol is of. */
function statementsOf(symbol: ts.Symbol): ts.Node[] {
  return (symbol.declarations ?? []).map((declaration) =>
    ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration,
  );
}

const printer = ts.createPrinter({ removeComments: true, newLine: ts.NewLineKind.LineFeed });

function printDeclaration(symbol: ts.Symbol): string {
  return statementsOf(symbol)
    .map((node) => printer.printNode(ts.EmitHint.Unspecified, node, node.getSourceFile()))
    .join('\n');
}

function isDocumented(symbol: ts.Symbol): boolean {
  return statementsOf(symbol).some((node) => ts.getJSDocCommentsAndTags(node).some(ts.isJSDoc));
}

/** Symbols of this package that the declarations of `symbol` name. */
function namedBy(checker: ts.TypeChecker, symbol: ts.Symbol): Set<ts.Symbol> {
  const found = new Set<ts.Symbol>();
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) {
      const named = checker.getSymbolAtLocation(node);
      const resolved = named && resolveAlias(checker, named);
      const statement = resolved && statementsOf(resolved)[0];
      // A whole module has a name too where it was imported as a namespace.
      if (!statement || ts.isSourceFile(statement)) return;
      // Of the top level only: neither members nor parameters.
      if (ts.isSourceFile(statement.parent) && isOurs(statement)) found.add(resolved);
    }
    ts.forEachChild(node, visit);
  };
  statementsOf(symbol).forEach(visit);
  return found;
}

function isOurs(node: ts.Node): boolean {
  return !relative('dist', node.getSourceFile().fileName).startsWith('..');
}

/** What public declarations name and no entry point exports, by way of each other too. */
function unexported({ checker, homes }: Api): ts.Symbol[] {
  const seen = new Set(homes.keys());
  const pending = [...seen];
  const found: ts.Symbol[] = [];
  for (let symbol = pending.pop(); symbol; symbol = pending.pop()) {
    for (const named of namedBy(checker, symbol)) {
      if (seen.has(named)) continue;
      seen.add(named);
      pending.push(named);
      found.push(named);
    }
  }
  return sortByName(found, (symbol) => `${symbol.name} ${placeOf(symbol)}`);
}

function placeOf(symbol: ts.Symbol): string {
  const [node] = statementsOf(symbol);
  return node ? relative('dist', node.getSourceFile().fileName) : '';
}

function document(title: string, lines: readonly string[]): string {
  const notice = 'Written by `npm run api-report` from the declarations in dist.';
  return [`# ${title}`, '', notice, '', '```ts', lines.join('\n\n'), '```', ''].join('\n');
}

function describeEntry(entry: EntryPoint, symbols: readonly ts.Symbol[], { checker, homes }: Api): string {
  const lines = symbols.map((symbol) => {
    const resolved = resolveAlias(checker, symbol);
    const home = homes.get(resolved);
    return home === entry.name
      ? printDeclaration(resolved)
      : `export { ${symbol.name} } from '${String(home)}';`;
  });
  return document(entry.name, lines.length === 0 ? ['export {};'] : lines);
}

/** The files by their paths, and what is public without a word said about it. */
function report(): { files: Map<string, string>; undocumented: string[] } {
  const entries = entryPoints();
  const program = ts.createProgram(
    entries.map(({ declarations }) => declarations),
    {
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      target: ts.ScriptTarget.ES2023,
      types: ['node'],
    },
  );
  const checker = program.getTypeChecker();
  const exported = entries.map((entry) => {
    const file = program.getSourceFile(entry.declarations);
    if (!file) throw new Error(`${entry.declarations} is missing: build first`);
    return { entry, symbols: exportsOf(checker, file) };
  });
  const homes = new Map<ts.Symbol, string>();
  for (const { entry, symbols } of exported) {
    for (const symbol of symbols) {
      const resolved = resolveAlias(checker, symbol);
      if (!homes.has(resolved)) homes.set(resolved, entry.name);
    }
  }
  const api: Api = { checker, homes };
  const files = new Map<string, string>();
  for (const { entry, symbols } of exported)
    files.set(`${FOLDER}/${entry.name.replace('/', '.')}.api.md`, describeEntry(entry, symbols, api));
  const hidden = unexported(api).map((symbol) => `// ${placeOf(symbol)}\n${printDeclaration(symbol)}`);
  files.set(
    `${FOLDER}/unexported.api.md`,
    document('What public declarations name without exporting it', hidden),
  );
  const undocumented = [...homes]
    .filter(([symbol]) => !isDocumented(symbol))
    .map(([symbol, home]) => `${home}: ${symbol.name} (${placeOf(symbol)})`);
  return { files, undocumented };
}

function check(files: ReadonlyMap<string, string>, undocumented: readonly string[]): string[] {
  const changed = [...files]
    .filter(([path, text]) => !existsSync(path) || readFileSync(path, 'utf8') !== text)
    .map(([path]) => `${path} would change: look at what does, then npm run api-report`);
  return [...changed, ...undocumented.map((symbol) => `${symbol} has no doc comment`)];
}

const { files, undocumented } = report();
if (process.argv.includes('--check')) {
  const complaints = check(files, undocumented);
  for (const complaint of complaints) console.error(complaint);
  if (complaints.length > 0) process.exitCode = 1;
} else {
  mkdirSync(FOLDER, { recursive: true });
  for (const [path, text] of files) writeFileSync(path, text);
  console.log(
    `wrote ${String(files.size)} files; ${String(undocumented.length)} symbols without a doc comment`,
  );
}
