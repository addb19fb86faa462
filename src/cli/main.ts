#!/usr/bin/env node
import { cacheCompiledCode } from './compile-cache.ts';
import { joinedLoad } from './joined-load.ts';

cacheCompiledCode();
// Only now, since the cache serves what is imported after it was enabled.
const joined = process.argv[2] === 'load' ? joinedLoad() : undefined;
const { run } = joined ?? (await import('./run.ts'));
// Everything is closed and written by now, or given up. What would still keep the process is not the command's: bytes
// that a reader of standard output never takes, or timers that somebody made at the prompt of the REPL.
process.exit(await run(process.argv.slice(2)));
