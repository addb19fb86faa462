// Generates src/uapi from the pinned kernel headers: npm run generate:uapi
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { compileHeaders } from './generate-uapi/compile.ts';
import { modules } from './generate-uapi/modules.ts';
import { kernelVersion, printModules } from './generate-uapi/print-module.ts';

const headerFolder = resolve('scripts/uapi-headers');
const output = resolve('src/uapi');

const files = printModules(compileHeaders(headerFolder, modules), modules, kernelVersion(headerFolder));
for (const name of readdirSync(output)) rmSync(join(output, name));
for (const [name, text] of files) writeFileSync(join(output, name), text);
console.log(`${String(files.size)} files in ${output}`);
