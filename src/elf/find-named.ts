import { NotFoundError } from '../errors.ts';

const CODES = {
  program: 'PROGRAM_NOT_FOUND',
  map: 'MAP_NOT_FOUND',
  variable: 'VARIABLE_NOT_FOUND',
} as const;

/**
 * What bears a name.
 *
 * @param whole What it should be in, `the object`.
 * @throws NotFoundError naming what there is
 */
export function findNamed<Value>(
  { kind, name, whole }: { kind: keyof typeof CODES; name: string; whole: string },
  values: ReadonlyMap<string, Value>,
): Value {
  const value = values.get(name);
  if (value !== undefined) return value;
  const available = [...values.keys()];
  throw new NotFoundError(CODES[kind], name, `Cannot find ${kind} ${name}: ${whole} has none of that name`, {
    available,
    hint: available.length > 0 ? `${whole} has: ${available.join(', ')}` : `${whole} has no ${kind}s at all`,
  });
}
