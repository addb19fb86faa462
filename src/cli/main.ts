#!/usr/bin/env node
import { cacheCompiledCode } from './compile-cache.ts';

cacheCompiledCode();
// Only now, since the cache serves what is imported after it was enabled.
const { run } = await import('./run.ts');
process.exitCode = await run(process.argv.slice(2));
