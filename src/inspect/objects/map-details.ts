import { readFileSync } from 'node:fs';
import { FileError } from '../../errors.ts';
import type { Fd } from '../../sys/index.ts';

/** What the kernel says of a map only in its descriptor's entry of /proc. */
export interface MapDetails {
  /** Bytes that it takes. */
  readonly memory: number | undefined;
  readonly frozen: boolean | undefined;
  /** Of a program array: the type of the first program put into it, and whether it was compiled. */
  readonly ownerProgramType: number | undefined;
  readonly ownerCompiled: boolean | undefined;
}

/** bpf_map_show_fdinfo() of kernel/bpf/syscall.c: a line each, `frozen:\t0`. @throws FileError where there is no /proc */
export function readMapDetails(fd: Fd): MapDetails {
  const path = `/proc/self/fdinfo/${fd.value}`;
  let text: string;
  try {
    text = readFileSync(path, 'latin1');
  } catch (cause) {
    const hint = 'Mount it: mount -t proc proc /proc';
    throw new FileError('FILE_UNREADABLE', path, `Cannot look at ${fd.description}: ${path} cannot be read`, {
      hint,
      cause,
    });
  }
  return parseMapDetails(text);
}

/** What such an entry says; what it does not say, or not as a number, is undefined. */
export function parseMapDetails(text: string): MapDetails {
  const facts = new Map(
    text.split('\n').map((line) => line.split(':\t') as [name: string, value: string | undefined]),
  );
  const number = (name: string): number | undefined => {
    const value = facts.get(name);
    return value === undefined || !/^\d+$/.test(value) ? undefined : Number(value);
  };
  const truth = (name: string): boolean | undefined => {
    const value = number(name);
    return value === undefined ? undefined : value !== 0;
  };
  return {
    memory: number('memlock'),
    frozen: truth('frozen'),
    ownerProgramType: number('owner_prog_type'),
    ownerCompiled: truth('owner_jited'),
  };
}
