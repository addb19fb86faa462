import { NotFoundError } from '../../errors.ts';
import { bytesCodec, MapType, Queue } from '../../maps/index.ts';
import { ArgumentError } from '../../errors.ts';
import type { Output } from '../output/output.ts';
import { entryDocument, entryText } from './entry.ts';
import type { InspectedMap } from './typed-map.ts';
import { useMap } from './use-map.ts';

const NO_KEY = new Uint8Array();

/** Adds a value to a queue or a stack; `push` and `enqueue` are the same. */
export function pushValue(given: readonly string[], output: Output): Promise<number> {
  return useMap(given, output, (map, words) => {
    words.expect('value');
    const value = map.parse(map.value, words.takeUntil([]));
    if (!queueOf(map).push(value)) {
      const { name, maxEntries } = map.map;
      throw new ArgumentError('value', `Cannot add to map ${name}: its ${maxEntries} places are taken`);
    }
    output.result(null, '');
  });
}

/** Removes the next value of a queue or a stack and prints it; `pop` and `dequeue` are the same. */
export function popValue(given: readonly string[], output: Output): Promise<number> {
  return takeValue(given, output, (queue) => queue.pop());
}

/** Prints the next value, which stays. */
export function peekValue(given: readonly string[], output: Output): Promise<number> {
  return takeValue(given, output, (queue) => queue.peek());
}

function takeValue(
  given: readonly string[],
  output: Output,
  take: (queue: Queue<Uint8Array>) => Uint8Array | undefined,
): Promise<number> {
  return useMap(given, output, (map, words) => {
    words.end();
    const value = take(queueOf(map));
    if (value === undefined) {
      const { name, type } = map.map;
      const what = type === MapType.Stack ? 'stack' : 'queue';
      throw new NotFoundError('KEY_NOT_FOUND', name, `Cannot take from map ${name}: the ${what} is empty`);
    }
    output.result(entryDocument(map, { key: NO_KEY, value }), entryText(map, { key: NO_KEY, value }));
  });
}

function queueOf({ map }: InspectedMap): Queue<Uint8Array> {
  return new Queue(map, { value: bytesCodec(map.valueSize) });
}
