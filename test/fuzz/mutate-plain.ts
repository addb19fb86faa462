import type { Dice } from './dice.ts';
import { FieldWriter } from './fields.ts';

/** A copy of bytes with up to three changes: words, bytes, moves, a cut. */
export function mutateBytes(original: Uint8Array, dice: Dice): Uint8Array {
  let bytes = Uint8Array.from(original);
  for (let count = dice.below(3); count >= 0 && bytes.length > 8; count--) {
    const writer = new FieldWriter(bytes, true);
    const size = dice.pick([1, 2, 4, 8]);
    const at = dice.below(Math.floor(bytes.length / size)) * size;
    switch (dice.below(8)) {
      case 0:
        bytes = bytes.slice(0, dice.below(bytes.length));
        break;
      case 1:
        bytes.copyWithin(dice.below(bytes.length), dice.below(bytes.length), dice.below(bytes.length));
        break;
      case 2:
      case 3:
        writer.set([at, size], dice.limit(size * 8));
        break;
      case 4:
        writer.set([at, size], BigInt(dice.below(64)));
        break;
      default:
        writer.scribble({ start: 0, end: bytes.length }, dice);
    }
  }
  return bytes;
}

/** A text with up to four changes: spans dropped, doubled or moved, words of a dictionary put in, characters. */
export function mutateText(
  original: string,
  { dice, words }: { dice: Dice; words: readonly string[] },
): string {
  let text = original;
  for (let count = dice.below(4); count >= 0; count--) {
    const at = dice.below(text.length + 1);
    const length = dice.onceIn(4) ? dice.below(text.length + 1) : dice.below(8);
    const span = text.slice(at, at + length);
    const rest = text.slice(at + length);
    switch (dice.below(7)) {
      case 0:
        text = text.slice(0, at) + rest;
        break;
      case 1:
        text = text.slice(0, at) + span + span + rest;
        break;
      case 2: {
        const to = dice.below(text.length + 1);
        text = text.slice(0, to) + span + text.slice(to);
        break;
      }
      case 3:
        text = text.slice(0, at) + String.fromCharCode(dice.below(dice.onceIn(8) ? 0x10000 : 128)) + rest;
        break;
      case 4:
        text = text.slice(0, at) + dice.limit(64).toString(dice.onceIn(2) ? 10 : 16) + rest;
        break;
      default:
        text = text.slice(0, at) + dice.pick(words) + (dice.onceIn(2) ? text.slice(at) : rest);
    }
  }
  return text.slice(0, 64 * 1024);
}
