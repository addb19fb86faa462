/**
 * Every TCP connection that this machine opens, with the time from its SYN to the answer.
 *
 *     tcp-connect.ts
 */
import { attachTracing } from 'ts-xdp';
import { load, type Connection } from './bpf/tcp-connect.ts';
import { interrupted } from './lib/interrupted.ts';

function formatAddress(bytes: Uint8Array, { length, port }: { length: number; port: number }): string {
  if (length === 4) return `${bytes.subarray(0, 4).join('.')}:${port}`;
  const groups = Array.from(
    { length: 8 },
    (_, index) => (bytes[index * 2] ?? 0) * 256 + (bytes[index * 2 + 1] ?? 0),
  );
  // URL writes IPv6 addresses in their short form.
  return `${new URL(`http://[${groups.map((group) => group.toString(16)).join(':')}]`).hostname}:${port}`;
}

function format(connection: Connection): string {
  const { nanoseconds, outcome, address_length: length } = connection;
  const source = formatAddress(connection.source, { length, port: connection.source_port });
  const destination = formatAddress(connection.destination, { length, port: connection.destination_port });
  const milliseconds = (Number(nanoseconds) / 1e6).toFixed(3).padStart(10);
  const who = `${String(connection.pid).padStart(7)} ${connection.command.padEnd(16)}`;
  return `${who} ${milliseconds} ms ${outcome === 'FAILED' ? 'failed   ' : 'connected'} ${source} -> ${destination}`;
}

using trace = load();
using _attachment = attachTracing(trace.programs.on_state);
const signal = interrupted();
console.log('    PID COMMAND             LATENCY    OUTCOME   CONNECTION');
for await (const connection of trace.events.connections.reader.events({ signal }))
  console.log(format(connection));
const lost = trace.variables.lost.get();
if (lost > 0n) console.error(`${lost.toString()} were lost: reading was slower than they came`);
