import { hostname } from 'node:os';
import type { CapturedEvent } from './captured-event.ts';
import type { WallClock } from '../sys/index.ts';

export interface SecurityEventEncoderOptions {
  /** Gives the events their wall-clock time. */
  wallClock: WallClock;
  /**
   * `originating_node_id` of the events.
   * @default the host's name
   */
  nodeId?: string;
  /**
   * What event ids start with; a counter from 1 follows. It sets apart the events of different runs and hosts.
   * @default 16 random hexadecimal digits
   */
  eventIdPrefix?: string;
}

/** Turns events into `protobuf.NetworkSecurityEvent` messages; see `proto/network_security.proto`. */
export interface SecurityEventEncoder {
  /** One message. */
  encode(event: CapturedEvent): Uint8Array;
  /** One message after its length as a varint: what a file or pipe of events is made of. */
  encodeDelimited(event: CapturedEvent): Uint8Array;
}

/**
 * Makes an encoder, which numbers the events it encodes. Loads protobufjs the first time, so that who writes no
 * protocol buffers does not wait for it.
 *
 * @example
 * const encoder = await createSecurityEventEncoder({ wallClock });
 * output.write(encoder.encodeDelimited(event));
 */
export async function createSecurityEventEncoder(
  options: SecurityEventEncoderOptions,
): Promise<SecurityEventEncoder> {
  const { encodeSecurityEvent, encodeDelimitedSecurityEvent } = await import('./wire-form.ts');
  const nodeId = options.nodeId ?? hostname();
  const prefix = options.eventIdPrefix ?? (await import('node:crypto')).randomBytes(8).toString('hex');
  let count = 0;
  const contextOf = (event: CapturedEvent): { nodeId: string; eventId: string; time: bigint } => {
    count += 1;
    return {
      nodeId,
      eventId: `${prefix}-${String(count)}`,
      time: options.wallClock.toUnixNanoseconds(event.timestamp),
    };
  };
  return {
    encode: (event) => encodeSecurityEvent(event, contextOf(event)),
    encodeDelimited: (event) => encodeDelimitedSecurityEvent(event, contextOf(event)),
  };
}
