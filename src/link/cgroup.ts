import { ArgumentError } from '../errors.ts';
import { Feature } from '../features/index.ts';
import { AttachType, type AttachTypeName, type BpfProgram } from '../programs/index.ts';
import * as uapi from '../uapi/index.ts';
import type { BpfLink } from './bpf-link-attachment.ts';
import { openCgroup } from './cgroup-path.ts';
import { checkProgram, createLink, type AttachRequest } from './create-link.ts';
import { encodeOrder, type OrderOptions } from './order.ts';
import { ProgAttachment } from './prog-attach.ts';

/** `cgroup_inet_ingress`, `cgroup_inet4_connect`, `cgroup_sysctl`, …, and `lsm_cgroup`. */
export type CgroupAttachType = Extract<AttachTypeName, `cgroup_${string}`> | 'lsm_cgroup';

/**
 * What happens with programs of cgroups above and below (kernel/bpf/cgroup.c): `single` suffers no other below,
 * `override` is replaced by one below, `multi` runs beside all others.
 */
export type CgroupMode = 'single' | 'override' | 'multi';

/** Options of {@link attachCgroup}: which cgroup, and the place among the programs there. */
export interface CgroupOptions extends OrderOptions {
  /** The path of its directory, or its path below the root of cgroup v2, wherever that is mounted. */
  readonly cgroup: string;
  /** @default what the program's section says: `cgroup/connect4` */
  readonly attachType?: CgroupAttachType;
  /**
   * `link` goes with the process and is always `multi`; `prog_attach` (Linux 4.10) stays until it is detached.
   * @default 'link'
   */
  readonly via?: 'link' | 'prog_attach';
  /** For `prog_attach`. @default 'multi' */
  readonly mode?: CgroupMode;
  /** For `prog_attach` with `multi`: a program that is attached there, whose place this one takes. Linux 5.6. */
  readonly replace?: BpfProgram;
}

const types: readonly number[] = [
  uapi.BPF_PROG_TYPE_CGROUP_SKB,
  uapi.BPF_PROG_TYPE_CGROUP_SOCK,
  uapi.BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
  uapi.BPF_PROG_TYPE_CGROUP_SOCKOPT,
  uapi.BPF_PROG_TYPE_CGROUP_SYSCTL,
  uapi.BPF_PROG_TYPE_CGROUP_DEVICE,
  uapi.BPF_PROG_TYPE_SOCK_OPS,
  uapi.BPF_PROG_TYPE_LSM,
];

const modeFlags: Readonly<Record<CgroupMode, number>> = {
  single: 0,
  override: uapi.BPF_F_ALLOW_OVERRIDE,
  multi: uapi.BPF_F_ALLOW_MULTI,
};

/**
 * Attaches a program to a cgroup: it runs for what the processes in there, and in the cgroups below, do.
 *
 * By bpf_link since Linux 5.7. Needs CAP_NET_ADMIN, and for devices CAP_SYS_ADMIN before 5.8. An order
 * (`before`, `after`, `expectedRevision`) needs Linux 6.17.
 *
 * @throws NotFoundError (CGROUP_NOT_FOUND); FileError where cgroup v2 is not mounted; ArgumentError where nothing
 * says the attach type; AttachError: ALREADY_ATTACHED, ATTACH_REFUSED where a `single` program is in the way,
 * UnsupportedFeatureError, PermissionError
 *
 * @example
 * using link = attachCgroup(collection.program('connect4'), { cgroup: '/system.slice/web.service' });
 */
export function attachCgroup(program: BpfProgram, options: CgroupOptions): BpfLink | ProgAttachment {
  const { cgroup, via = 'link' } = options;
  checkProgram(program, { types, target: `cgroup ${cgroup}` });
  const attachType = attachTypeOf(program, options.attachType);
  checkVia(options);
  const { directory, fd: place } = openCgroup(program.kernel, cgroup);
  const { flags, relative } = encodeOrder(options);
  const ordered = flags !== 0 || relative.expected_revision !== 0n;
  const request: AttachRequest = {
    kind: 'cgroup',
    target: directory,
    needed: ['CAP_NET_ADMIN'],
    feature: ordered ? Feature.CgroupOrder : Feature.CgroupLink,
    reasons: {
      EEXIST: 'this program is attached there already',
      EPERM: 'a program is attached there, or above, that suffers no other beside it',
      ESTALE: 'the programs there have changed since the expected revision',
      ENOENT: 'the program that it is to replace or run next to is not attached there',
    },
  };
  if (via === 'prog_attach') {
    const mode = modeFlags[options.mode ?? 'multi'];
    return ProgAttachment.attach(program, {
      ...request,
      place,
      attachType,
      flags: mode | (options.replace ? uapi.BPF_F_REPLACE : 0),
      replaced: options.replace,
    });
  }
  try {
    return createLink(program, {
      ...request,
      fields: {
        target_fd: place.value,
        attach_type: attachType,
        flags,
        ...(ordered && { cgroup: { relative_id: relative.relative_fd, ...relative } }),
      },
    });
  } finally {
    place.close();
  }
}

function attachTypeOf(program: BpfProgram, given: CgroupAttachType | undefined): number {
  if (given !== undefined) return AttachType[given];
  // 0 is BPF_CGROUP_INET_INGRESS, and also what programs have whose section says nothing.
  const { attachType } = program;
  if (attachType !== undefined && (attachType !== 0 || program.type === uapi.BPF_PROG_TYPE_CGROUP_SKB)) {
    return attachType;
  }
  throw new ArgumentError(
    'attachType',
    `Cannot attach ${program.name} to a cgroup: nothing says its attach type`,
    {
      hint: 'give the option "attachType"',
    },
  );
}

function checkVia(options: CgroupOptions): void {
  const { via = 'link', mode, replace } = options;
  if (via === 'link' && (mode !== undefined || replace !== undefined)) {
    throw new ArgumentError(
      'via',
      'Cannot attach by link with "mode" or "replace": a bpf_link is always "multi"',
      {
        hint: 'attach with via: "prog_attach"; a link is replaced by its update()',
      },
    );
  }
  if (via === 'prog_attach' && encodeOrder(options).flags !== 0) {
    throw new ArgumentError('via', 'Cannot attach in an order with via: "prog_attach"');
  }
}
