import { SyscallError } from '../../errors.ts';
import { attachPerfEvent, isPerfEventName, type Link, type PerfEventOptions } from '../../link/index.ts';
import { missing, type AttachCall, type AttachKind, type TargetForm } from './request.ts';

/** Other names that perf(1) has for the same. */
const ALIASES: Readonly<Record<string, string>> = {
  cycles: 'cpu-cycles',
  branches: 'branch-instructions',
  faults: 'page-faults',
  cs: 'context-switches',
  migrations: 'cpu-migrations',
};

/** As perf(1) spells it: `cycles`, `cpu-clock/freq=99/`, `page-faults/period=1/`. */
const EVENT = /^([a-z-]+)(?:\/(period|freq)=([1-9]\d{0,14})\/)?$/;
/** Hertz, where nothing is said: no multiple of the frequency of timers, which would always sample the same. */
const FREQUENCY = 99;

const target: TargetForm = {
  what: 'an event',
  form: () => 'cpu-clock|cycles|page-faults|…[/freq=HERTZ/|/period=EVENTS/]',
  fits: (text) => parseEvent(text) !== undefined,
};

export const perfEventKind: AttachKind = { target, heeds: ['pid'], attach: attachToEvent };

function parseEvent(text: string): Pick<PerfEventOptions, 'event' | 'sample'> | undefined {
  const [, name = '', unit, number] = EVENT.exec(text) ?? [];
  const event = ALIASES[name] ?? name;
  if (!isPerfEventName(event)) return undefined;
  const every = Number(number ?? FREQUENCY);
  return { event, sample: unit === 'period' ? { period: every } : { frequency: every } };
}

/** For one process wherever it runs, or on every CPU that is online. */
function attachToEvent({ program, options, target: text }: AttachCall): Link[] {
  const what = parseEvent(text);
  if (!what) throw missing(program, { argument: 'target', what: target.what, hint: target.form(new Map()) });
  if (options.pid !== undefined) return [attachPerfEvent(program, { ...what, pid: options.pid })];
  const links: Link[] = [];
  let offline: SyscallError | undefined;
  try {
    for (let cpu = 0; cpu < program.kernel.possibleCpus(); cpu++) {
      try {
        links.push(attachPerfEvent(program, { ...what, cpu }));
      } catch (error) {
        // What perf_event_open(2) says of a CPU that is not online.
        if (!(error instanceof SyscallError && error.errnoName === 'ENODEV')) throw error;
        offline = error;
      }
    }
    if (links.length === 0 && offline) throw offline;
    return links;
  } catch (error) {
    for (const done of links) done.close();
    throw error;
  }
}
