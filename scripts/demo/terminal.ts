import type { Writable } from 'node:stream';

type Colour = 'bold' | 'dim' | 'green' | 'red';

/** The codes of ECMA-48 that switch a colour on and off. */
const CODES: Readonly<Record<Colour, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  green: [32, 39],
  red: [31, 39],
};

/** Lines on standard output; colours where a person looks at it and has not asked for none (no-color.org). */
export class Terminal {
  readonly #stream: Writable;
  readonly #colours: boolean;
  #closed = false;

  constructor(
    stream: Writable & { readonly isTTY?: boolean } = process.stdout,
    environment: NodeJS.ProcessEnv = process.env,
  ) {
    this.#stream = stream;
    this.#colours = stream.isTTY === true && (environment['NO_COLOR'] ?? '') === '';
    stream.on('error', (error: NodeJS.ErrnoException) => {
      // The reader went away (`| head`): the demo goes on in silence, and its exit code still says how it went.
      if (error.code !== 'EPIPE') throw error;
      this.#closed = true;
    });
  }

  line(text = ''): void {
    if (!this.#closed) this.#stream.write(`${text}\n`);
  }

  paint(colour: Colour, text: string): string {
    if (!this.#colours) return text;
    const [on, off] = CODES[colour];
    return `\u001b[${on}m${text}\u001b[${off}m`;
  }
}
