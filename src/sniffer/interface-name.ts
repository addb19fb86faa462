import type { InterfaceConfiguration } from './configuration.ts';
import type { JsonObject } from '../json/index.ts';

/** The kernel's rules (dev_valid_name): 1 to 15 bytes, no slash, colon or white space, not `.` or `..`. */
export function readInterfaceName(entry: JsonObject, earlier: readonly InterfaceConfiguration[]): string {
  const name = entry.string('name');
  if (name === '' || name === '.' || name === '..' || /[/:\s]/.test(name) || Buffer.byteLength(name) > 15) {
    throw entry.error('name', `is ${JSON.stringify(name)}, which cannot be the name of an interface`);
  }
  if (earlier.some((other) => other.name === name))
    throw entry.error('name', `is ${JSON.stringify(name)} again`);
  return name;
}
