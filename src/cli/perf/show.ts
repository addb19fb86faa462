import { listTaskEvents, type TaskEvent } from '../../inspect/index.ts';
import { systemKernel } from '../../sys/index.ts';
import { ExitCode } from '../exit-code.ts';
import type { Json } from '../output/error-report.ts';
import type { Output } from '../output/output.ts';

/** Lists the descriptors of processes that attach programs to tracepoints, kprobes and uprobes. */
export async function runPerfShow(output: Output): Promise<number> {
  const events = listTaskEvents(systemKernel());
  output.result(events.map(document), events.map(text).join('\n'));
  await output.flush();
  return ExitCode.Done;
}

function document({ pid, fd, programId, kind, ...place }: TaskEvent): Json {
  return {
    pid,
    fd,
    prog_id: programId,
    ...(kind !== 'unknown' && { fd_type: kind }),
    ...placeOf(kind, place),
  };
}

function placeOf(
  kind: TaskEvent['kind'],
  { name, offset, address }: Pick<TaskEvent, 'name' | 'offset' | 'address'>,
): Record<string, Json> {
  switch (kind) {
    case 'raw_tracepoint':
    case 'tracepoint':
      return { tracepoint: name };
    case 'kprobe':
    case 'kretprobe':
      return name === '' ? { addr: address } : { func: name, offset };
    case 'uprobe':
    case 'uretprobe':
      return { filename: name, offset };
    case 'unknown':
      return {};
  }
}

function text(event: TaskEvent): string {
  const place = Object.entries(placeOf(event.kind, event))
    .map(([name, value]) => (name === 'tracepoint' ? '' : `${name} `) + String(value as string | bigint))
    .join('  ');
  return `pid ${event.pid}  fd ${event.fd}: prog_id ${event.programId}  ${event.kind}  ${place}`;
}
