import { ObjectFile } from '../../elf/index.ts';
import { ObjectError } from '../../errors.ts';
import { openMaps } from '../../inspect/index.ts';
import { attachIterator } from '../../link/index.ts';
import { Collection } from '../../loader/index.ts';
import type { BpfMap } from '../../maps/index.ts';
import { systemKernel } from '../../sys/index.ts';
import { ExitCode } from '../exit-code.ts';
import { onlyOne } from '../only-one.ts';
import type { Output } from '../output/output.ts';
import { resolveObject } from '../shipped-object.ts';
import { Words } from '../words.ts';

/** Loads the iterator of an object and pins its link: whoever reads the file runs it. */
export async function runIterPin(given: readonly string[], output: Output): Promise<number> {
  const words = new Words(given, 'iter pin');
  const path = words.take('an object');
  const pin = words.take('a path to pin to');
  const wanted = words.takeIf('map') ? words.takeSelector('a map') : undefined;
  words.end();
  const object = ObjectFile.open(resolveObject(path).path);
  const names = [...object.programs.values()].filter(({ section }) => /^\??iter/.test(section));
  const [first] = names;
  if (!first)
    throw new ObjectError(
      'PROGRAM_NONE',
      'Cannot pin an iterator: the object has no program of a section iter/…',
    );
  using collection = Collection.load(object, { programs: [first.name] });
  const map =
    wanted === undefined ? undefined : openOneMap(typeof wanted === 'string' ? wanted : wanted.value);
  try {
    using link = attachIterator(collection.program(first.name), map ? { map } : {});
    link.pin(pin);
  } finally {
    map?.close();
  }
  output.result(null, '');
  await output.flush();
  return ExitCode.Done;
}

function openOneMap(selector: string): BpfMap {
  return onlyOne(openMaps(systemKernel(), selector), { what: 'map', selector });
}
