import { ArgumentError } from '../errors.ts';
import type { BpfProgram } from '../programs/index.ts';
import { checkInteger } from '../sys/index.ts';
import { BPF_F_AFTER, BPF_F_BEFORE, BPF_F_ID, BPF_F_LINK } from '../uapi/index.ts';
import { BpfLink } from './bpf-link-attachment.ts';

/** A program or a link that is attached there already, open or by the kernel's id. */
export type Neighbour = BpfProgram | BpfLink | { readonly programId: number } | { readonly linkId: number };

/** Where among the programs that are attached there this one is to run. */
export interface OrderOptions {
  /** Run before this one, or before all with `first`. */
  readonly before?: Neighbour | 'first';
  /** Run after this one, or after all with `last`. @default 'last' */
  readonly after?: Neighbour | 'last';
  /**
   * Refuse (ATTACH_CHANGED) unless this is still the revision of the list of programs, as bpftool and
   * `BPF_PROG_QUERY` tell it. @default any
   */
  readonly expectedRevision?: bigint;
}

/** The fields of `union bpf_attr` that say so. */
export function encodeOrder(options: OrderOptions): {
  readonly flags: number;
  readonly relative: { readonly relative_fd: number; readonly expected_revision: bigint };
} {
  const { before, after, expectedRevision = 0n } = options;
  if (before !== undefined && after !== undefined) {
    throw new ArgumentError('after', 'Cannot attach: "before" and "after" exclude each other');
  }
  const direction = before !== undefined ? BPF_F_BEFORE : after !== undefined ? BPF_F_AFTER : 0;
  const neighbour = before ?? after;
  const { flags, value } =
    neighbour === undefined || typeof neighbour === 'string' ? { flags: 0, value: 0 } : reference(neighbour);
  return {
    flags: direction | flags,
    relative: { relative_fd: value, expected_revision: expectedRevision },
  };
}

function reference(neighbour: Neighbour): { flags: number; value: number } {
  if ('programId' in neighbour) return { flags: BPF_F_ID, value: checkId('programId', neighbour.programId) };
  if ('linkId' in neighbour)
    return { flags: BPF_F_ID | BPF_F_LINK, value: checkId('linkId', neighbour.linkId) };
  if (neighbour instanceof BpfLink) return { flags: BPF_F_LINK, value: neighbour.fd.value };
  return { flags: 0, value: neighbour.fd.value };
}

function checkId(name: string, id: number): number {
  checkInteger(name, id, { minimum: 1, maximum: 0xffff_ffff });
  return id;
}
