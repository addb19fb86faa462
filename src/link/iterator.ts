import { closeSync, readSync } from 'node:fs';
import { Readable } from 'node:stream';
import { ArgumentError } from '../errors.ts';
import { unsupportedFeature } from '../features/index.ts';
import type { BpfMap } from '../maps/index.ts';
import type { BpfProgram } from '../programs/index.ts';
import { checkInteger, errno, openBpf, type Fd, type Kernel } from '../sys/index.ts';
import * as uapi from '../uapi/index.ts';
import { bpf_attr_iter_create, bpf_iter_link_info } from '../uapi/index.ts';
import { BpfLink } from './bpf-link-attachment.ts';
import { openCgroup } from './cgroup-path.ts';
import { attachRefused, checkProgram, doing, tryCreateLink, type LinkRequest } from './create-link.ts';

/** In which order an iterator walks over cgroups, and which of them. */
export type CgroupOrder = 'self' | 'descendants_pre' | 'descendants_post' | 'ancestors' | 'children';

/** Options of {@link attachIterator}: what it walks over. At most one of them. */
export interface IteratorOptions {
  /** What `iter/bpf_map_elem`, `iter/bpf_sk_storage_map` and `iter/sockmap` walk over; they need one. Linux 5.8. */
  readonly map?: BpfMap;
  /** One thread, or the threads of one process, for `iter/task`, `iter/task_file` and `iter/task_vma`. Linux 6.1. */
  readonly task?: { readonly tid: number } | { readonly pid: number };
  /** Where `iter/cgroup` starts. Linux 6.1. */
  readonly cgroup?: { readonly path: string; readonly order: CgroupOrder };
}

const ofOneTask = { name: 'iterators over a single task or cgroup', minKernel: '6.1' };

const orders: Readonly<Record<CgroupOrder, number>> = {
  self: uapi.BPF_CGROUP_ITER_SELF_ONLY,
  descendants_pre: uapi.BPF_CGROUP_ITER_DESCENDANTS_PRE,
  descendants_post: uapi.BPF_CGROUP_ITER_DESCENDANTS_POST,
  ancestors: uapi.BPF_CGROUP_ITER_ANCESTORS_UP,
  children: uapi.BPF_CGROUP_ITER_CHILDREN,
};

/**
 * Attaches an iterator program to the objects of the kernel that its section names. It runs when somebody reads.
 *
 * Linux 5.8. Needs CAP_PERFMON.
 *
 * @throws AttachError (ATTACH_REFUSED) where what it walks over needs a map, task or cgroup that is not given, or does
 * not take the one that is; UnsupportedFeatureError, NotFoundError, PermissionError
 *
 * @example
 * using tasks = attachIterator(collection.program('dump_task'));
 * console.log(tasks.text());
 */
export function attachIterator(program: BpfProgram, options: IteratorOptions = {}): IteratorLink {
  checkProgram(program, { types: [uapi.BPF_PROG_TYPE_TRACING], target: 'an iterator' });
  const { info, cgroup } = encodeOptions(program.kernel, options);
  try {
    const request: LinkRequest = {
      kind: 'iter',
      target: 'what it iterates over',
      needed: ['CAP_PERFMON'],
      reasons: {
        EBADF: 'it walks over the elements of a map, and none is given',
        EINVAL: 'its objects do not take what the options name, or this kernel does not know these options',
        ENOENT: 'there is no such task',
        ESRCH: 'there is no such task',
      },
      fields: {
        attach_type: uapi.BPF_TRACE_ITER,
        ...(info && { iter_info: program.kernel.addressOf(info), iter_info_len: info.length }),
      },
      keep: info ? [info] : [],
    };
    const result = tryCreateLink(program, request);
    if (result instanceof BpfLink) return IteratorLink.from(result);
    // A kernel that knows a map alone there finds bytes past the end of its union that are not zero.
    if (result === -errno.E2BIG) throw unsupportedFeature(ofOneTask, { doing: doing(program, request) });
    throw attachRefused(program, { request, call: 'BPF_LINK_CREATE', result });
  } finally {
    cgroup?.close();
  }
}

function encodeOptions(
  kernel: Kernel,
  options: IteratorOptions,
): { info: Uint8Array | undefined; cgroup: Fd | undefined } {
  const { map, task, cgroup } = options;
  if ([map, task, cgroup].filter((one) => one !== undefined).length > 1) {
    throw new ArgumentError(
      'options',
      'Cannot attach an iterator to more than one of a map, a task and a cgroup',
    );
  }
  if (map) return { info: bpf_iter_link_info.encode({ map: { map_fd: map.fd.value } }), cgroup: undefined };
  if (task) {
    const [tid, pid] = 'tid' in task ? [task.tid, 0] : [0, task.pid];
    checkInteger('task', tid + pid, { minimum: 1, maximum: 0x7fff_ffff });
    return { info: bpf_iter_link_info.encode({ task: { tid, pid, pid_fd: 0 } }), cgroup: undefined };
  }
  if (cgroup === undefined) return { info: undefined, cgroup: undefined };
  const { fd: place } = openCgroup(kernel, cgroup.path);
  const order = orders[cgroup.order];
  return {
    info: bpf_iter_link_info.encode({ cgroup: { order, cgroup_fd: place.value, cgroup_id: 0n } }),
    cgroup: place,
  };
}

/** What one read(2) may bring; the kernel fills up to eight pages (bpf_seq_read() in kernel/bpf/bpf_iter.c). */
const CHUNK = 32 * 1024;

/** An attached iterator: each reading runs it over all objects anew. */
export class IteratorLink extends BpfLink {
  /** Takes over the descriptor of a link; it is closed then. */
  static from(link: BpfLink): IteratorLink {
    const { kernel, kind } = link;
    const info = link.info();
    const target = info.kind === 'iter' ? info.target : link.target;
    return new IteratorLink(link.release(), { kernel, kind, target });
  }

  /** Opens a pinned iterator link. Reading the pin of an iterator as a file needs none of this. */
  static override fromPin(path: string, facts: { kernel?: Kernel } = {}): IteratorLink {
    const link = BpfLink.fromPin(path, facts);
    if (link.kind === 'iter') return IteratorLink.from(link);
    link.close();
    throw new ArgumentError(
      'path',
      `Cannot open ${path} as an iterator: a link of kind ${link.kind} is pinned there`,
    );
  }

  /** What the program writes, in chunks that are the caller's. Reading blocks for as long as the program takes. */
  *bytes(): Generator<Uint8Array, undefined> {
    const number = this.#open().release();
    try {
      for (;;) {
        const chunk = new Uint8Array(CHUNK);
        const length = readChunk(number, chunk);
        if (length === 0) return;
        if (length !== undefined) yield chunk.subarray(0, length);
      }
    } finally {
      closeSync(number);
    }
  }

  /** Everything that the program writes, as text. */
  text(): string {
    return Buffer.concat([...this.bytes()]).toString('utf8');
  }

  /** The same as {@link bytes}, read when it is asked for. */
  stream(): Readable {
    return Readable.from(this.bytes(), { objectMode: false });
  }

  #open(): Fd {
    return openBpf(this.kernel, {
      command: 'BPF_ITER_CREATE',
      attribute: bpf_attr_iter_create,
      fields: { link_fd: this.fd.value },
      doing: `read ${this.target}`,
      description: this.target,
      needed: ['CAP_PERFMON'],
    });
  }
}

/** Undefined where the kernel wants to be asked again: it stops between objects after a million of them (EAGAIN). */
function readChunk(number: number, chunk: Uint8Array): number | undefined {
  try {
    return readSync(number, chunk, 0, chunk.length, null);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EAGAIN' || code === 'EINTR') return undefined;
    throw error;
  }
}
