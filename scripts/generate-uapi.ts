// Generates src/uapi from the pinned kernel headers: node scripts/run.mjs generate:uapi
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { compileHeaders } from './generate-uapi/compile.ts';
import { modules } from './generate-uapi/modules.ts';
import { printModules } from './generate-uapi/print-module.ts';

const headerFolder = resolve('scripts/uapi-headers');
const output = resolve(process.argv[2] ?? 'src/uapi');

const files = printModules(compileHeaders(headerFolder, modules), modules, kernelVersion());
for (const name of readdirSync(output)) {
  if (name.endsWith('.ts')) rmSync(join(output, name));
}
for (const [name, text] of files) writeFileSync(join(output, name), text);
console.log(`${String(files.size)} files in ${output}`);

function kernelVersion(): string {
  const text = readFileSync(join(headerFolder, 'linux/version.h'), 'utf8');
  const part = (name: string): string => new RegExp(`LINUX_VERSION_${name} (\\d+)`).exec(text)?.[1] ?? '?';
  return `${part('MAJOR')}.${part('PATCHLEVEL')}.${part('SUBLEVEL')}`;
}
