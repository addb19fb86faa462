import { UsageError } from '../exit-code.ts';
import type { LoadCommandOptions } from './options.ts';

/** @throws UsageError for options that do not go together, whatever the object */
export function checkOptions(options: LoadCommandOptions): void {
  const streaming = streamingOptions(options);
  if (options.detach === true && streaming.length > 0) {
    throw new UsageError(`--detach returns at once, so it goes without ${inWords(streaming)}`);
  }
  if (options.multi === true && (options.replace === true || options.via !== undefined)) {
    const other = options.replace === true ? '--replace' : '--via';
    throw new UsageError(
      `--multi attaches beside what is there, by a dispatcher, so it goes without ${other}`,
    );
  }
  if (options.priority !== undefined && options.multi !== true) {
    throw new UsageError('--priority goes with --multi: without a dispatcher there is one program');
  }
  if (options.pin !== undefined && options.via === 'netlink') {
    throw new UsageError(
      '--pin goes with --via link: an attachment by netlink cannot be pinned, and stays without it',
    );
  }
}

/** What only a stream of events heeds. */
function streamingOptions({ count, duration, event, protobuf, trace }: LoadCommandOptions): string[] {
  const given: [flag: string, isGiven: boolean][] = [
    ['--count', count !== undefined],
    ['--duration', duration !== undefined],
    ['--event', event.length > 0],
    ['--protobuf', protobuf !== undefined],
    ['--trace', trace === true],
  ];
  return given.flatMap(([flag, isGiven]) => (isGiven ? [flag] : []));
}

function inWords(flags: readonly string[]): string {
  if (flags.length < 2) return flags.join('');
  return `${flags.slice(0, -1).join(', ')} and ${flags.at(-1) ?? ''}`;
}
