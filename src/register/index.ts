/**
 * Lets `import sniffer from './sniffer.bpf.o'` work: `node --import ts-xdp/register main.js`. Importing it is what
 * registers the hook; `ts-xdp gen --declaration` writes the types.
 */
import * as nodeModule from 'node:module';
import { extname } from 'node:path';
import { load } from './hooks.ts';

/** Hooks in the importing thread; Node 22.15 and 23.5 have them, and later ones deprecate those in a thread of their own. */
const { registerHooks } = nodeModule as { registerHooks?: (hooks: { load: typeof load }) => unknown };

if (registerHooks) registerHooks({ load });
else nodeModule.register(`../register/hooks${extname(import.meta.url)}`, import.meta.url);
