import { readFileSync } from 'node:fs';
import { FileError } from '../errors.ts';

const directory = '/sys/devices/system/cpu';

/** How many CPUs a kernel list like `0-3,8-11` names. */
export function countCpuList(list: string): number {
  let count = 0;
  for (const range of list.trim().split(',')) {
    const [, first, last] = /^(\d+)(?:-(\d+))?$/.exec(range) ?? [];
    if (first === undefined) continue;
    count += Number(last ?? first) - Number(first) + 1;
  }
  return count;
}

export function readCpuCount(file: 'possible' | 'online'): number {
  const path = `${directory}/${file}`;
  let list: string;
  try {
    list = readFileSync(path, 'latin1');
  } catch (cause) {
    throw new FileError('FILE_UNREADABLE', path, `Cannot count the CPUs: ${path} cannot be read`, {
      hint: 'Mount sysfs: mount -t sysfs sysfs /sys',
      cause,
    });
  }
  const count = countCpuList(list);
  if (count === 0)
    throw new FileError('FILE_UNREADABLE', path, `Cannot count the CPUs: ${path} says "${list.trim()}"`);
  return count;
}
