import { BtfError } from '../errors.ts';
import { hashBytes, type StringTable } from './string-table.ts';

/** `BTF_MAX_NAME_OFFSET` of include/uapi/linux/btf.h. */
const LARGEST_OFFSET = 0xff_ffff;
const FIRST_CAPACITY = 256;

/**
 * Collects the strings of a BTF that is built, each once. A hash table over bytes: the kernel's BTF has 100,000 strings,
 * which need not become as many JavaScript strings to be copied. A string that the base has is not added again.
 */
export class StringPool {
  readonly #base: StringTable | undefined;
  /** Offset of the first own string. */
  readonly #first: number;
  #bytes = Buffer.alloc(FIRST_CAPACITY);
  #used: number;
  /** For each bucket the number of an entry plus one; 0 for an empty bucket. */
  #buckets = new Uint32Array(FIRST_CAPACITY);
  #next = new Uint32Array(FIRST_CAPACITY);
  #offsets = new Uint32Array(FIRST_CAPACITY);
  #hashes = new Uint32Array(FIRST_CAPACITY);
  #entries = 0;
  #baseIndexed = false;
  /** Where strings of other tables are here: one of 64 KiB may be the name of a hundred thousand types. */
  readonly #copied = new Map<StringTable, Map<number, number>>();

  constructor(base: StringTable | undefined) {
    this.#base = base;
    this.#first = base?.length ?? 0;
    // The empty string of a split BTF is its base's.
    this.#used = base === undefined ? 1 : 0;
  }

  /** The own strings. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#used);
  }

  /** The offset of a text, which is added unless it is there. Throws {@link BtfError} for one with a NUL in it. */
  add(text: string): number {
    if (text.includes('\0')) {
      throw new BtfError(`Cannot build BTF: the string ${JSON.stringify(text)} has a NUL in it`);
    }
    const bytes = Buffer.from(text);
    return this.addBytes(bytes, 0, bytes.length);
  }

  /** The same of the bytes from `start` to `end`, none of which is NUL. */
  addBytes(source: Buffer, start: number, end: number): number {
    if (start === end) return 0;
    this.#indexBase();
    const hash = hashBytes(source, start, end);
    const known = this.#find(hash, source, { start, end });
    if (known !== undefined) return known;
    const offset = this.#first + this.#used;
    // Names may be the ends of one long string, each of which would be copied.
    if (offset + end - start > LARGEST_OFFSET)
      throw new BtfError(
        `Cannot build BTF: its strings exceed the ${LARGEST_OFFSET} bytes that may be referred to`,
      );
    this.#reserve(end - start + 1);
    // Byte by byte, as most strings are short: Buffer.copy() takes longer to begin than these to copy.
    for (let at = start; at < end; at++) this.#bytes[this.#used++] = source[at] ?? 0;
    this.#used++;
    this.#insert(hash, offset);
    return offset;
  }

  /** Adds every string of a table without its base's, in their order. */
  addAll(table: StringTable): void {
    table.forEach((bytes, start, end) => this.addBytes(bytes, start, end));
  }

  /** The offset that a string of a table has here; it is added unless it is there. */
  addFrom(table: StringTable, offset: number): number {
    if (offset === 0) return 0;
    let offsets = this.#copied.get(table);
    if (offsets === undefined) {
      offsets = new Map();
      this.#copied.set(table, offsets);
    }
    let copied = offsets.get(offset);
    if (copied === undefined) {
      const { strings, start } = table.locate(offset);
      copied = this.addBytes(strings, start, strings.indexOf(0, start));
      offsets.set(offset, copied);
    }
    return copied;
  }

  #indexBase(): void {
    if (this.#baseIndexed) return;
    this.#baseIndexed = true;
    const tables: StringTable[] = [];
    for (let table = this.#base; table !== undefined; table = table.base) tables.unshift(table);
    for (const table of tables) {
      table.forEach((bytes, start, end) => {
        if (start === end) return;
        const hash = hashBytes(bytes, start, end);
        if (this.#find(hash, bytes, { start, end }) === undefined)
          this.#insert(hash, table.firstOffset + start);
      });
    }
  }

  #find(hash: number, source: Buffer, { start, end }: { start: number; end: number }): number | undefined {
    let entry = this.#buckets[hash & (this.#buckets.length - 1)] ?? 0;
    for (; entry !== 0; entry = this.#next[entry - 1] ?? 0) {
      if (this.#hashes[entry - 1] !== hash) continue;
      const offset = this.#offsets[entry - 1] ?? 0;
      if (this.#equals(offset, source, { start, end })) return offset;
    }
    return undefined;
  }

  #equals(offset: number, source: Buffer, { start, end }: { start: number; end: number }): boolean {
    const own = offset >= this.#first;
    const place = own ? { strings: this.#bytes, start: offset - this.#first } : this.#base?.locate(offset);
    if (place === undefined) return false;
    const { strings } = place;
    const shift = place.start - start;
    for (let at = start; at < end; at++) if (strings[at + shift] !== source[at]) return false;
    return strings[end + shift] === 0;
  }

  #insert(hash: number, offset: number): void {
    if (this.#entries === this.#offsets.length) this.#grow();
    const bucket = hash & (this.#buckets.length - 1);
    this.#offsets[this.#entries] = offset;
    this.#hashes[this.#entries] = hash;
    this.#next[this.#entries] = this.#buckets[bucket] ?? 0;
    this.#buckets[bucket] = ++this.#entries;
  }

  #grow(): void {
    this.#offsets = doubled(this.#offsets);
    this.#hashes = doubled(this.#hashes);
    this.#next = new Uint32Array(this.#offsets.length);
    this.#buckets = new Uint32Array(this.#offsets.length);
    for (let entry = 0; entry < this.#entries; entry++) {
      const bucket = (this.#hashes[entry] ?? 0) & (this.#buckets.length - 1);
      this.#next[entry] = this.#buckets[bucket] ?? 0;
      this.#buckets[bucket] = entry + 1;
    }
  }

  #reserve(length: number): void {
    if (this.#used + length <= this.#bytes.length) return;
    const larger = Buffer.alloc(Math.max(2 * this.#bytes.length, this.#used + length));
    this.#bytes.copy(larger, 0, 0, this.#used);
    this.#bytes = larger;
  }
}

function doubled(array: Uint32Array): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(2 * array.length);
  larger.set(array);
  return larger;
}
