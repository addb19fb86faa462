#!/usr/bin/env node
import { cacheCompiledCode } from './compile-cache.ts';

cacheCompiledCode();
// Only now, since the cache serves what is imported after it was enabled.
const { run } = await import('./run.ts');
process.exitCode = await run(process.argv.slice(2));
// What a reader has not taken by now it is not going to take, and waiting bytes would keep the process.
if (process.stdout.writableLength > 0) process.exit();
