/** Modules compiled with every strict option that TypeScript has. */
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';
import { projectRoot } from '../helpers/cli.ts';

const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  types: ['node'],
  typeRoots: [join(projectRoot, 'node_modules/@types')],
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  noImplicitOverride: true,
  noImplicitReturns: true,
  noFallthroughCasesInSwitch: true,
  noPropertyAccessFromIndexSignature: true,
  noUnusedLocals: true,
  noUnusedParameters: true,
  allowUnreachableCode: false,
  verbatimModuleSyntax: true,
  erasableSyntaxOnly: true,
  isolatedModules: true,
  isolatedDeclarations: true,
  declaration: true,
  allowArbitraryExtensions: true,
  skipLibCheck: true,
};

/** Compiles files, writes their JavaScript beside them, and gives the diagnostics: `file:line TS1234 message`. */
export function compileStrictly(files: readonly string[]): string[] {
  const program = ts.createProgram([...files], options);
  const emitted = program.emit();
  const folder = dirname(files[0] ?? '');
  return [...ts.getPreEmitDiagnostics(program), ...emitted.diagnostics].map((diagnostic) => {
    const { file, start = 0, code, messageText } = diagnostic;
    const line = (file?.getLineAndCharacterOfPosition(start).line ?? 0) + 1;
    const message = ts.flattenDiagnosticMessageText(messageText, ' ').split(/(?<=\.) /)[0] ?? '';
    return `${relative(folder, file?.fileName ?? '')}:${String(line)} TS${String(code)} ${message}`;
  });
}

/** TypeScript without its types, unchecked. */
export function withoutTypes(source: string): string {
  return ts.transpileModule(source, { compilerOptions: { ...options, module: ts.ModuleKind.ESNext } })
    .outputText;
}
