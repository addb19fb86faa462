import { ArgumentError } from '../errors.ts';

interface Handle {
  info(): { readonly id: number };
  close(): void;
}

/**
 * The one of the programs or maps that a selector found; where there are several, all are closed.
 *
 * @throws ArgumentError
 */
export function onlyOne<Found extends Handle>(
  found: readonly Found[],
  { what, selector }: { what: 'program' | 'map'; selector: string },
): Found {
  const [first, ...others] = found;
  if (first !== undefined && others.length === 0) return first;
  const ids = found.map((one) => one.info().id).join(', ');
  for (const one of found) one.close();
  const message = `Cannot tell which ${what} is meant by ${selector}: ${ids} are called so`;
  throw new ArgumentError(what, message, { hint: 'say which by its id' });
}
