/** What the shipped sniffer's JSON events must say of a frame. */
import { join } from 'node:path';
import type { PacketCase } from '../fixtures/packets.ts';
import { projectRoot } from './cli.ts';
import type { JsonLine } from './cli.ts';

export const snifferObject = join(projectRoot, 'bpf/sniffer.bpf.o');

const PAYLOAD_SIZE = 512;

export interface SeenOn {
  readonly name: string;
  readonly index: number;
  /** 1 host-based, 2 gateway. @default 2 */
  readonly mode?: number;
  readonly wan?: boolean;
}

/** Map, struct and every field but the timestamp; undefined for a frame that makes no event. */
export function expectedEvent(
  { expected }: PacketCase,
  { name, index, mode = 2, wan = false }: SeenOn,
): Record<string, unknown> | undefined {
  if (expected === 'ignored') return undefined;
  const { map, payload, ...fields } = expected;
  const padded = Buffer.alloc(PAYLOAD_SIZE);
  padded.set(payload);
  return {
    map,
    struct: map === 'events' ? 'simple_event' : 'simple_event_v6',
    data: {
      ...fields,
      src_ip: plain(expected.src_ip),
      dst_ip: plain(expected.dst_ip),
      payload_len: payload.length,
      payload: padded.toString('hex'),
      interface_mode: mode,
      is_wan_facing: wan ? 1 : 0,
      source_ifindex: index,
      source_interface: name,
    },
  };
}

/** A line of `ts-xdp load` in the same form, its timestamp apart. */
export function seenEvent({ map, struct, data }: JsonLine): Record<string, unknown> {
  const fields = Object.entries(data ?? {}).filter(([name]) => name !== 'timestamp');
  return { map, struct, data: Object.fromEntries(fields) };
}

/** `seen = ignored + filtered + no_space + submitted`. */
export function countersAddUp(counters: Readonly<Record<string, number>>): boolean {
  const { seen, ignored = 0, filtered = 0, no_space: noSpace = 0, submitted = 0 } = counters;
  return seen === ignored + filtered + noSpace + submitted;
}

function plain(address: number | Uint8Array): number | string {
  return typeof address === 'number' ? address : Buffer.from(address).toString('hex');
}
