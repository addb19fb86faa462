#!/usr/bin/env node
import { cacheCompiledCode } from './compile-cache.ts';
import { joinedLoad } from './joined-load.ts';

cacheCompiledCode();
// Only now, since the cache serves what is imported after it was enabled.
const words = process.argv.slice(2);
const joined = words[0] === 'load' ? joinedLoad() : undefined;
const { run } = joined ?? (await import('./run.ts'));
const exitCode = await run(words);
// Little is compiled for help and for errors, and what is kept is kept for good.
if (exitCode === 0 && !words.includes('--help') && !words.includes('-h')) joined?.keep();
// Everything is closed and written by now, or given up. What would still keep the process is not the command's: bytes
// that a reader of standard output never takes, or timers that somebody made at the prompt of the REPL.
process.exit(exitCode);
