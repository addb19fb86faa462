import { ArgumentError } from '../errors.ts';

/** `02:00:00:00:00:01` */
export function formatMacAddress(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/** Throws {@link ArgumentError} unless the text is six bytes in hexadecimal with colons. */
export function parseMacAddress(text: string): Uint8Array {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text)) {
    throw new ArgumentError(
      'address',
      `Cannot use ${JSON.stringify(text)} as a MAC address: 02:00:00:00:00:01 is the form`,
    );
  }
  return Uint8Array.from(text.split(':'), (byte) => Number.parseInt(byte, 16));
}
