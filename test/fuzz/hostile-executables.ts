/** Programs that are made to cost far more than they weigh. */
const FILE_HEADER = 64;
const SECTION_HEADER = 64;
const PROGRAM_HEADER = 56;
const SYMBOL = 24;

interface Section {
  readonly name?: number;
  readonly type: number;
  readonly data: Uint8Array;
  readonly link?: number;
  /** How many headers say the same. */
  readonly times?: number;
}

/** A program of these sections, whose names are in section 1; the first header is empty. */
function program(sections: readonly Section[], segments = 0): Uint8Array {
  const headers = sections.reduce((sum, { times = 1 }) => sum + times, 1);
  const sizes = sections.reduce((sum, { data }) => sum + data.length, 0);
  const table = FILE_HEADER + segments * PROGRAM_HEADER + sizes;
  const bytes = new Uint8Array(table + headers * SECTION_HEADER);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  const halves = [[16, 3], [18, 62], [54, PROGRAM_HEADER], [56, segments], [58, SECTION_HEADER], [60, headers], [62, 1]] as const; // prettier-ignore
  for (const [at, value] of halves) view.setUint16(at, value, true);
  view.setBigUint64(32, BigInt(FILE_HEADER), true);
  view.setBigUint64(40, BigInt(table), true);
  for (let index = 0; index < segments; index++) {
    view.setUint32(FILE_HEADER + index * PROGRAM_HEADER, 1, true);
    view.setUint32(FILE_HEADER + index * PROGRAM_HEADER + 4, 1, true);
  }
  let at = FILE_HEADER + segments * PROGRAM_HEADER;
  let header = table + SECTION_HEADER;
  for (const { name = 0, type, data, link = 0, times = 1 } of sections) {
    bytes.set(data, at);
    for (let count = 0; count < times; count++, header += SECTION_HEADER) {
      view.setUint32(header, name, true);
      view.setUint32(header + 4, type, true);
      view.setBigUint64(header + 24, BigInt(at), true);
      view.setBigUint64(header + 32, BigInt(data.length), true);
      view.setUint32(header + 40, link, true);
    }
    at += data.length;
  }
  return bytes;
}

const STRINGS = 3;
/** No NUL in a megabyte: wherever a name begins, it ends at the end. */
const endless = new Uint8Array(1 << 20).fill(0x61);

function functionsNamed(count: number, name: (index: number) => number): Uint8Array {
  const bytes = new Uint8Array(count * SYMBOL);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < bytes.length; at += SYMBOL) {
    view.setUint32(at, name(at / SYMBOL), true);
    bytes[at + 4] = 0x12;
    view.setUint16(at + 6, 1, true);
  }
  return bytes;
}

export const sectionsWithOneLongName = (): Uint8Array =>
  program([
    { type: STRINGS, data: endless },
    { type: 1, data: new Uint8Array(8), times: 65_000 },
  ]);

export const symbolsWithOneLongName = (): Uint8Array =>
  program([
    { type: STRINGS, data: endless },
    { type: 2, data: functionsNamed(100_000, (index) => index), link: 1 },
  ]);

/** Each would be read for what is in it. */
export const manySymbolTables = (): Uint8Array =>
  program([
    { type: STRINGS, data: Buffer.from('\0name\0') },
    { type: 11, data: functionsNamed(50_000, () => 1), link: 1, times: 60_000 },
  ]);

/** Definitions of versions that lie on top of each other, a byte apart, each with a name of a megabyte. */
export function versionsWithOneLongName(): Uint8Array {
  const definitions = new Uint8Array(1 << 18).fill(0);
  const view = new DataView(definitions.buffer);
  for (let at = 0; at + 20 <= definitions.length; at += 20) {
    view.setUint16(at + 4, at / 20, true);
    view.setUint32(at + 12, 0, true);
    view.setUint32(at + 16, 20, true);
  }
  return program([
    { type: STRINGS, data: endless },
    { type: 11, data: functionsNamed(1, () => 1 << 19), link: 1 },
    { type: 0x6fff_fffd, data: definitions, link: 1 },
    { type: 0x6fff_ffff, data: new Uint8Array(2) },
  ]);
}

/** A note for every 48 bytes, each looked up among all segments and all sections. */
export function probesAmongSections(segments: number): Uint8Array {
  const names = Buffer.from('\0.note.stapsdt\0');
  const note = new Uint8Array(48);
  const view = new DataView(note.buffer);
  [8, 28, 3].forEach((word, index) => {
    view.setUint32(index * 4, word, true);
  });
  note.set(Buffer.from('stapsdt\0'), 12);
  const notes = new Uint8Array(note.length * 100_000);
  for (let at = 0; at < notes.length; at += note.length) notes.set(note, at);
  return program(
    [
      { type: STRINGS, data: names },
      { type: 1, data: new Uint8Array(8), times: 65_000 },
      { type: 7, name: 1, data: notes },
    ],
    segments,
  );
}
