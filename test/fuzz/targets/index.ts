import type { FuzzTarget } from '../target.ts';
import type { Seeds } from '../seeds.ts';
import { btfExtTarget, btfTarget } from './btf.ts';
import { dedupTarget, rawTarget } from './btf-tools.ts';
import { argumentTarget } from './arguments.ts';
import { dispatcherTarget, eventTarget } from './events.ts';
import { procTarget, settingsTarget, symbolsTarget, verifierLogTarget } from './kernel-files.ts';
import { elfTarget } from './elf.ts';
import { executableTarget } from './executable.ts';
import {
  assemblerTarget,
  configurationTarget,
  instructionTarget,
  kernelTextTarget,
  valueTarget,
} from './text.ts';
import { netlinkTarget, perfTarget, ringTarget } from './wire.ts';

interface TargetEntry {
  readonly make: (seeds: Seeds) => FuzzTarget;
  /** Inputs for each million. */
  readonly share: number;
}

/** Objects and BTF make up the million; the others come on top. */
export const targets: Readonly<Record<string, TargetEntry>> = {
  elf: { make: elfTarget, share: 450_000 },
  btf: { make: btfTarget, share: 200_000 },
  'btf-ext': { make: btfExtTarget, share: 350_000 },
  'btf-dedup': { make: dedupTarget, share: 40_000 },
  'btf-raw': { make: rawTarget, share: 40_000 },
  executable: { make: executableTarget, share: 60_000 },
  value: { make: valueTarget, share: 30_000 },
  asm: { make: assemblerTarget, share: 30_000 },
  instructions: { make: instructionTarget, share: 30_000 },
  netlink: { make: netlinkTarget, share: 30_000 },
  ring: { make: ringTarget, share: 30_000 },
  'perf-ring': { make: perfTarget, share: 30_000 },
  configuration: { make: configurationTarget, share: 30_000 },
  settings: { make: settingsTarget, share: 20_000 },
  kallsyms: { make: symbolsTarget, share: 20_000 },
  'verifier-log': { make: verifierLogTarget, share: 20_000 },
  proc: { make: procTarget, share: 20_000 },
  arguments: { make: argumentTarget, share: 30_000 },
  event: { make: eventTarget, share: 20_000 },
  dispatcher: { make: dispatcherTarget, share: 20_000 },
  'kernel-text': { make: kernelTextTarget, share: 30_000 },
};
