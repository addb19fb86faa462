/**
 * What a person sees of a terminal: text with the few control sequences that readline writes. Any other sequence
 * throws, so that nothing is misread.
 */
export class Screen {
  readonly #columns: number;
  #rows: string[][] = [[]];
  #row = 0;
  #column = 0;
  #rest = '';

  constructor(columns: number) {
    this.#columns = columns;
  }

  /** Without blanks at the ends, and without the empty rows below the last text. */
  get rows(): string[] {
    const rows = this.#rows.map((row) =>
      Array.from(row, (cell) => cell)
        .join('')
        .trimEnd(),
    );
    return rows.slice(0, this.#row + 1);
  }

  write(text: string): void {
    const input = this.#rest + text;
    this.#rest = '';
    for (let at = 0; at < input.length;) {
      const sequence = /^\u001b(\[([\d;?]*)([A-Za-z])?)?/.exec(input.slice(at));
      if (sequence && sequence[3] === undefined) {
        this.#rest = input.slice(at);
        return;
      }
      if (sequence) this.#control(sequence[2] ?? '', sequence[3] ?? '');
      else this.#put(input.charAt(at));
      at += sequence ? sequence[0].length : 1;
    }
  }

  #put(character: string): void {
    if (character === '\r') this.#column = 0;
    else if (character === '\n') this.#moveTo(this.#row + 1);
    else if (character >= ' ') {
      if (this.#column === this.#columns) {
        this.#moveTo(this.#row + 1);
        this.#column = 0;
      }
      const row = this.#rows[this.#row] ?? [];
      while (row.length < this.#column) row.push(' ');
      row[this.#column++] = character;
    }
  }

  #moveTo(row: number): void {
    this.#row = row;
    while (this.#rows.length <= row) this.#rows.push([]);
  }

  #control(parameters: string, command: string): void {
    const count = Number(parameters === '' ? '1' : parameters);
    const row = this.#rows[this.#row] ?? [];
    if (command === 'G') this.#column = count - 1;
    else if (command === 'A') this.#moveTo(Math.max(0, this.#row - count));
    else if (command === 'B') this.#moveTo(this.#row + count);
    else if (command === 'C') this.#column += count;
    else if (command === 'D') this.#column -= count;
    else if (command === 'K') row.length = Math.min(row.length, this.#column);
    else if (command === 'J') {
      row.length = Math.min(row.length, this.#column);
      this.#rows.length = this.#row + 1;
    } else if (command !== 'm' && command !== 'h' && command !== 'l') {
      throw new Error(`The screen does not know the sequence CSI ${parameters}${command}`);
    }
  }
}
