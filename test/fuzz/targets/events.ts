/** What programs of the kernel hand over: events of the shipped one, with bytes of packets in them, and configurations. */
import { decodeConfiguration, encodeConfiguration } from '../../../src/dispatcher/configuration.ts';
import { BoundsError, ValueError } from '../../../src/errors.ts';
import {
  describePacket,
  hexDump,
  readSimpleEvent,
  readSimpleEventV6,
  SimpleEvent,
  SimpleEventV6,
} from '../../../src/sniffer/index.ts';
import { analyzePayload } from '../../../src/sniffer/payload-analysis.ts';
import type { Dice } from '../dice.ts';
import { attempt, demand } from '../expected-errors.ts';
import { mutateBytes } from '../mutate-plain.ts';
import type { FuzzTarget } from '../target.ts';

const PAYLOADS = [
  'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  'Your files have been encrypted. Pay to 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa or bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4',
  'CryptEncrypt EVP_aes_256_cbc duckduckgogg42xjoc72x3sjasowoarfbgcmvfimaftt6twagswzczad.onion facebookcorewwwi.onion',
].map((text) => Buffer.from(text, 'latin1'));

function executable(): Uint8Array {
  const bytes = new Uint8Array(256);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0x5a4d, true);
  view.setUint32(60, 128, true);
  view.setUint32(128, 0x4550, true);
  view.setUint16(132, 0x8664, true);
  return bytes;
}

function eventsOf(payload: Uint8Array): Uint8Array[] {
  return [SimpleEvent, SimpleEventV6].map(({ size, offsets }) => {
    const bytes = new Uint8Array(size);
    bytes.set(payload.subarray(0, 512), offsets.payload);
    new DataView(bytes.buffer).setUint16(offsets.payload_len, Math.min(512, payload.length), true);
    return bytes;
  });
}

export function eventTarget(): FuzzTarget {
  const events = [...PAYLOADS, executable()].flatMap(eventsOf);
  return {
    name: 'event',
    mutant: (dice: Dice) => mutateBytes(dice.pick(events), dice),
    exercise(input) {
      const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
      let read = 0;
      for (const reader of [readSimpleEvent, readSimpleEventV6]) {
        const event = attempt([BoundsError, ValueError], () => reader(view, 0));
        if (!event) continue;
        read++;
        describePacket(event, '2026-11-20T11:14:57.123456789Z');
        hexDump(event.payload);
        const { entropy, length } = analyzePayload(event.payload);
        demand(entropy >= 0 && entropy <= 8 && length <= 512, `an entropy of ${entropy}`);
      }
      analyzePayload(input);
      return read > 0 ? 'read' : 'refused';
    },
  };
}

/** The configuration that another loader's dispatcher has in its read-only data. */
export function dispatcherTarget(): FuzzTarget {
  const slots = [10, 50, 90].map((priority) => ({
    priority,
    chainCallActions: 1 << 2,
    frags: priority > 50,
  }));
  const configurations = ([1, 2] as const).map((version) =>
    encodeConfiguration({ version, frags: false, slots }),
  );
  return {
    name: 'dispatcher',
    mutant: (dice: Dice) => mutateBytes(dice.pick(configurations), dice),
    exercise(input) {
      const found = decodeConfiguration(input);
      if (found === undefined) return 'refused';
      if ('unknownVersion' in found) return 'unknown version';
      demand(found.slots.length <= 10, 'there are more slots than a dispatcher has');
      const again = decodeConfiguration(encodeConfiguration(found));
      demand(
        JSON.stringify(again) === JSON.stringify(found),
        'what is written of it is read as something else',
      );
      return 'read';
    },
  };
}
