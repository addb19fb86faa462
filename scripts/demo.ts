/**
 * Makes a pair of network interfaces, attaches the shipped sniffer to one end, sends packets of many kinds into the
 * other, and compares every field of every event with what was sent. Removes everything it made.
 *
 *     npm run demo
 *
 * Exit codes: 0 everything was seen and right, 1 something was not, 3 not permitted, 4 not supported by this kernel.
 */
import { setImmediate, setTimeout } from 'node:timers/promises';
import { attachXdp } from '../src/index.ts';
import type { Collection } from '../src/index.ts';
import { InterfaceMode } from '../src/sniffer/index.ts';
import { clockGettime, PacketSocket, WallClock } from '../src/sys/index.ts';
import { checkCounters } from './demo/counter-checks.ts';
import { checkPrivileges, describeFailure, ExitCode, exitCodeOf, Interruption } from './demo/failure.ts';
import { ipv4Packets } from './demo/ipv4-packets.ts';
import { ipv6Packets } from './demo/ipv6-packets.ts';
import { Ledger } from './demo/ledger.ts';
import { otherPackets } from './demo/other-packets.ts';
import { PrivatePair } from './demo/private-pair.ts';
import { Report } from './demo/report.ts';
import { loadSniffer, PROGRAM, readCounters, SnifferEvents, watchInterface } from './demo/sniffer.ts';
import { Terminal } from './demo/terminal.ts';

/** How long events may take after the last packet, in milliseconds. They take less than one unless the machine stalls. */
const PATIENCE = 3000;
const POLL_INTERVAL = 5;

const monotonic = (): bigint => clockGettime('monotonic');

async function demo(terminal: Terminal, interrupted: AbortSignal): Promise<number> {
  checkPrivileges();
  using pair = PrivatePair.open();
  const { receiver, sender, disturbance } = pair;
  terminal.line(`interfaces  ${receiver.name} and ${sender.name}, a veth pair that only the demo uses`);
  if (disturbance !== undefined) terminal.line(`note        ${disturbance}`);

  using collection = loadSniffer();
  const program = collection.program(PROGRAM);
  watchInterface(collection, receiver);
  using attachment = attachXdp(program, { interface: receiver.index });
  terminal.line(`program     ${program.name}, id ${program.id}, of bpf/sniffer.bpf.o`);
  terminal.line(`attached    to ${receiver.name}, ${attachment.mode} mode, by ${attachment.via}`);

  using events = new SnifferEvents(collection);
  const report = new Report(terminal, WallClock.ofKernel());
  const ledger = new Ledger(
    {
      interface_mode: InterfaceMode.Gateway,
      is_wan_facing: 1,
      source_ifindex: receiver.index,
      source_interface: receiver.name,
    },
    monotonic,
  );
  const onEvent = (event: Parameters<Ledger['recordEvent']>[0]): void => {
    report.event(event, ledger.recordEvent(event));
  };

  terminal.line();
  report.eventHeading();
  const enough = new AbortController();
  const following = events.follow(onEvent, AbortSignal.any([enough.signal, interrupted]));
  await Promise.race([following, sendAll(ledger, { ifindex: sender.index, collection, interrupted })]);
  enough.abort();
  await following;
  interrupted.throwIfAborted();
  // Detached first, so that nothing more arrives: then what was read is exactly what was submitted.
  attachment.close();
  events.drain(onEvent);

  const checks = checkCounters(readCounters(collection), ledger);
  report.summary(ledger);
  report.counters(checks);
  const right = ledger.flawless && checks.every(({ holds }) => holds);
  terminal.line();
  terminal.line(
    right
      ? terminal.paint('green', 'every packet was seen, and every field of its event is right')
      : terminal.paint('red', 'not everything that was sent was seen right'),
  );
  return right ? ExitCode.Right : ExitCode.Wrong;
}

/** Sends every packet, then waits until each has had its event and the program has counted each, but not forever. */
async function sendAll(
  ledger: Ledger,
  context: { readonly ifindex: number; readonly collection: Collection; readonly interrupted: AbortSignal },
): Promise<void> {
  const { ifindex, collection, interrupted } = context;
  using socket = PacketSocket.open({ ifindex });
  for (const packet of [...ipv4Packets(), ...ipv6Packets(), ...otherPackets()]) {
    interrupted.throwIfAborted();
    ledger.recordSent(packet);
    socket.send(packet.frame);
    // Events are read, and signals heard, between one packet and the next.
    await setImmediate();
  }
  const deadline = performance.now() + PATIENCE;
  const settled = (): boolean =>
    ledger.missing.length === 0 && Number(readCounters(collection)['seen']) >= ledger.sent;
  while (!settled() && performance.now() < deadline) {
    await setTimeout(POLL_INTERVAL);
    interrupted.throwIfAborted();
  }
}

function listenForSignals(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    // Every time: Ctrl-C reaches a process twice when npm passes it on as well.
    process.on(signal, () => {
      controller.abort(new Interruption(signal));
    });
  }
  return controller.signal;
}

try {
  process.exitCode = await demo(new Terminal(), listenForSignals());
} catch (error) {
  process.stderr.write(`${describeFailure(error)}\n`);
  process.exitCode = exitCodeOf(error);
}
