/**
 * What our-load.ts does, in one file whose compiled code is kept from an earlier run, as `ts-xdp load` has it.
 *
 * Usage: kept-load.js FILE.cjs ITERATIONS [OBJECT]
 */
import { cacheCompiledCode, requireCompiled } from '../../src/cli/compile-cache.ts';

cacheCompiledCode();
const [file = ''] = process.argv.splice(2, 1);
requireCompiled(file).keep();
