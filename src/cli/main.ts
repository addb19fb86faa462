#!/usr/bin/env node
import { cacheCompiledCode } from './compile-cache.ts';

cacheCompiledCode();
// Only now, since the cache serves what is imported after it was enabled.
const { run } = await import('./run.ts');
// Everything is closed and written by now, or given up. What would still keep the process is not the command's: bytes
// that a reader of standard output never takes, or timers that somebody made at the prompt of the REPL.
process.exit(await run(process.argv.slice(2)));
