import { readFileSync } from 'node:fs';
import { ExitCode } from '../exit-code.ts';
import type { Output } from '../output/output.ts';

const KINDS = ['cmds', 'maps', 'progs', 'attachs'] as const;

/** Lists the bpf file systems that delegate something to a user namespace: where tokens come from. Linux 6.9. */
export async function runTokenShow(output: Output): Promise<number> {
  const mounts = delegatingMounts(readFileSync('/proc/self/mounts', 'utf8'));
  output.result(
    mounts.map(({ place, allowed }) => ({ token_info: place, ...allowed })),
    mounts
      .map(({ place, allowed }) =>
        [
          `token_info  ${place}`,
          ...Object.entries(allowed).map(([kind, list]) => `\t${kind}: ${list.join(' ')}`),
        ].join('\n'),
      )
      .join('\n'),
  );
  await output.flush();
  return ExitCode.Done;
}

interface DelegatingMount {
  readonly place: string;
  readonly allowed: Readonly<Record<string, string[]>>;
}

/** `bpf /sys/fs/bpf bpf rw,delegate_cmds=prog_load:map_create,… 0 0` (bpf_show_options() of kernel/bpf/inode.c) */
export function delegatingMounts(mounts: string): DelegatingMount[] {
  return mounts.split('\n').flatMap((line) => {
    const [, place = '', type, options = ''] = line.split(' ');
    const given = new Map(
      options.split(',').map((option) => option.split('=', 2) as [string, string | undefined]),
    );
    const allowed = Object.fromEntries(
      KINDS.map((kind) => [`allowed_${kind}`, given.get(`delegate_${kind}`)?.split(':') ?? []]),
    );
    const delegates = KINDS.some((kind) => given.has(`delegate_${kind}`));
    return type === 'bpf' && delegates ? [{ place, allowed }] : [];
  });
}
