import { ArgumentError } from '../errors.ts';
import type { Json } from '../btf/index.ts';
import { sumCounters } from '../sniffer/index.ts';
import { describe } from './describe.ts';
import type { Group } from './scope.ts';
import type { Session } from './session.ts';

/** What a command has to say, for people and for programs. */
export interface Answer {
  readonly json: Json;
  readonly text: string;
}

/** A command of the prompt, `.name`. */
export interface ReplCommand {
  readonly name: string;
  /** One line for `.help`. */
  readonly help: string;
  readonly run: (session: Session, argument: string) => Answer;
}

/** What there is besides the commands of Node's own REPL. */
export const REPL_COMMANDS: readonly ReplCommand[] = [
  { name: 'programs', help: 'List the programs of the object', run: (session) => list(session, 'programs') },
  { name: 'maps', help: 'List the maps of the object', run: (session) => list(session, 'maps') },
  {
    name: 'variables',
    help: 'List the global variables of the object',
    run: (session) => list(session, 'variables'),
  },
  {
    name: 'events',
    help: 'Print events as they arrive: .events on, .events off (frees the rings for you)',
    run: events,
  },
  { name: 'attach', help: "Attach the object's XDP program: .attach INTERFACE [PROGRAM]", run: attach },
  { name: 'detach', help: 'Detach from one interface, or from all: .detach [INTERFACE]', run: detach },
  { name: 'stats', help: 'Show what was counted: events read, counters, runs of programs', run: stats },
];

function list({ collection, object }: Session, group: Group): Answer {
  const members: readonly object[] = [...((collection ?? object)?.[group].values() ?? [])];
  const described = members.flatMap((member) => describe(member, object) ?? []);
  return {
    json: described.map(({ json }) => json),
    text: described.length === 0 ? `no ${group}` : described.map(({ text }) => text).join('\n'),
  };
}

function events(session: Session, argument: string): Answer {
  if (argument === 'on') session.startStreaming();
  else if (argument === 'off') session.stopStreaming();
  else if (argument !== '') {
    throw new ArgumentError('events', `Cannot switch events to ${argument}: write .events on or .events off`);
  }
  const state = session.streaming ? 'on' : 'off';
  return { json: { events: state }, text: `events are ${state}` };
}

function attach(session: Session, argument: string): Answer {
  const [iface, prog, ...rest] = words(argument);
  if (iface === undefined || rest.length > 0) {
    throw new ArgumentError('iface', 'Cannot attach: write .attach INTERFACE [PROGRAM]');
  }
  const attachment = session.attach(iface, { prog });
  return answer(session, [attachment]);
}

function detach(session: Session, argument: string): Answer {
  const [iface, ...rest] = words(argument);
  if (rest.length > 0) throw new ArgumentError('iface', 'Cannot detach: write .detach [INTERFACE]');
  return answer(session, session.detach(iface));
}

function answer({ object }: Session, things: readonly object[]): Answer {
  const described = things.flatMap((thing) => describe(thing, object) ?? []);
  return { json: described.map(({ json }) => json), text: described.map(({ text }) => text).join('\n') };
}

function stats(session: Session): Answer {
  const { collection, eventCounts } = session;
  const counters = collection?.object.anchors.counters;
  const counted = collection && counters ? sumCounters(collection.map(counters.map)) : undefined;
  const programs = [...(collection?.programs.values() ?? [])].map((program) => {
    const { runCount, runTime } = program.info();
    return { name: program.name, runs: runCount, nanoseconds: runTime };
  });
  const read = [...eventCounts];
  const lines = [
    ...read.map(([ring, count]) => `events read from ${ring}: ${String(count)}`),
    ...Object.entries(counted ?? {}).map(([name, count]) => `${name}: ${String(count)}`),
    ...programs
      // The kernel counts runs only while kernel.bpf_stats_enabled is set.
      .filter(({ runs }) => runs > 0n)
      .map(
        ({ name, runs, nanoseconds }) =>
          `${name}: ${String(runs)} runs, ${String(nanoseconds / runs)} ns each`,
      ),
  ];
  return {
    json: {
      events: Object.fromEntries(read),
      counters: Object.fromEntries(
        Object.entries(counted ?? {}).map(([name, count]) => [name, count.toString()]),
      ),
      programs: programs.map(({ name, runs, nanoseconds }) => ({
        program: name,
        runs: runs.toString(),
        nanoseconds: nanoseconds.toString(),
      })),
    },
    text: lines.length === 0 ? 'nothing is counted' : lines.join('\n'),
  };
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}
