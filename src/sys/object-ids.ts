import { bpf_attr_get_id } from '../uapi/index.ts';
import type { BpfCommandName } from './bpf.ts';
import { bpfError, exchangeBpf, openBpf } from './bpf.ts';
import { errno } from './errno.ts';
import type { Fd } from './fd.ts';
import type { Kernel } from './kernel.ts';

/** What the kernel gives ids to. */
export type ObjectKind = 'program' | 'map' | 'link' | 'BTF';

interface KindFacts {
  readonly next: BpfCommandName;
  readonly open: BpfCommandName;
  readonly field: 'prog_id' | 'map_id' | 'link_id' | 'btf_id';
}

const kinds: Readonly<Record<ObjectKind, KindFacts>> = {
  program: { next: 'BPF_PROG_GET_NEXT_ID', open: 'BPF_PROG_GET_FD_BY_ID', field: 'prog_id' },
  map: { next: 'BPF_MAP_GET_NEXT_ID', open: 'BPF_MAP_GET_FD_BY_ID', field: 'map_id' },
  link: { next: 'BPF_LINK_GET_NEXT_ID', open: 'BPF_LINK_GET_FD_BY_ID', field: 'link_id' },
  BTF: { next: 'BPF_BTF_GET_NEXT_ID', open: 'BPF_BTF_GET_FD_BY_ID', field: 'btf_id' },
};

/**
 * The ids of all programs, maps, links or BTFs in the kernel, ascending. Linux 4.13; BTFs 5.4, links 5.8. Needs
 * CAP_SYS_ADMIN.
 *
 * @throws PermissionError, SyscallError
 */
export function* objectIds(kernel: Kernel, kind: ObjectKind): IterableIterator<number> {
  for (let id = 0; ;) {
    const call = {
      command: kinds[kind].next,
      attribute: bpf_attr_get_id,
      fields: { start_id: id },
      doing: `list the ${kind}s in the kernel`,
    };
    const { result, answer } = exchangeBpf(kernel, call);
    if (result === -errno.ENOENT) return;
    if (result < 0) throw bpfError(call, result);
    id = answer.next_id;
    yield id;
  }
}

/**
 * Calls `use` with a descriptor of each, which is closed afterwards. One that went away since its id was given is left
 * out.
 *
 * @throws PermissionError, SyscallError
 */
export function mapObjects<Result>(
  kernel: Kernel,
  kind: ObjectKind,
  use: (fd: Fd, id: number) => Result,
): Result[] {
  return [...objectIds(kernel, kind)].flatMap((id) => {
    const fd = openIfThere(kernel, kind, id);
    if (fd === undefined) return [];
    try {
      return [use(fd, id)];
    } finally {
      fd.close();
    }
  });
}

/** Undefined where no object has the id. @throws PermissionError, SyscallError */
export function openIfThere(kernel: Kernel, kind: ObjectKind, id: number): Fd | undefined {
  const { open, field } = kinds[kind];
  try {
    return openBpf(kernel, {
      command: open,
      attribute: bpf_attr_get_id,
      fields: { [field]: id },
      doing: `open ${kind} ${id}`,
      description: `${kind} ${id}`,
    });
  } catch (error) {
    // EAGAIN: a link that is being made has its number before it is one (bpf_link_by_id() of kernel/bpf/syscall.c).
    const { errno: number } = error as { errno?: number };
    if (number === errno.ENOENT || number === errno.EAGAIN) return undefined;
    throw error;
  }
}
