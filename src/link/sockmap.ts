import { Feature } from '../features/index.ts';
import type { BpfMap } from '../maps/index.ts';
import type { BpfProgram } from '../programs/index.ts';
import { Fd, syscallError } from '../sys/index.ts';
import * as uapi from '../uapi/index.ts';
import { ArgumentError } from '../errors.ts';
import type { BpfLink } from './bpf-link-attachment.ts';
import { checkProgram, createLink, type AttachRequest } from './create-link.ts';
import { ProgAttachment } from './prog-attach.ts';

/** When a program of a sockmap runs. */
export type SockmapAttachType =
  'sk_skb_stream_parser' | 'sk_skb_stream_verdict' | 'sk_skb_verdict' | 'sk_msg_verdict';

const attachTypes: Readonly<Record<SockmapAttachType, number>> = {
  sk_skb_stream_parser: uapi.BPF_SK_SKB_STREAM_PARSER,
  sk_skb_stream_verdict: uapi.BPF_SK_SKB_STREAM_VERDICT,
  sk_skb_verdict: uapi.BPF_SK_SKB_VERDICT,
  sk_msg_verdict: uapi.BPF_SK_MSG_VERDICT,
};

/** Options of {@link attachSockmap}. */
export interface SockmapOptions {
  /** A sockmap or sockhash, whose sockets it runs for. */
  readonly map: BpfMap;
  /** @default what the program's section says: `sk_skb/stream_verdict` */
  readonly attachType?: SockmapAttachType;
  /**
   * `link` (Linux 6.10) goes with the process; `prog_attach` (Linux 4.14) stays until it is detached or the map is
   * gone.
   * @default 'link'
   */
  readonly via?: 'link' | 'prog_attach';
}

/**
 * Attaches a program to the sockets of a map: for what they send (`sk_msg`) or receive (`sk_skb`).
 *
 * Needs CAP_NET_ADMIN.
 *
 * @throws AttachError: ALREADY_ATTACHED where a link has the place; ATTACH_REFUSED; UnsupportedFeatureError for a link
 * before 6.10; PermissionError
 */
export function attachSockmap(program: BpfProgram, options: SockmapOptions): BpfLink | ProgAttachment {
  const { map, via = 'link' } = options;
  const target = `map ${map.name}`;
  checkProgram(program, { types: [uapi.BPF_PROG_TYPE_SK_SKB, uapi.BPF_PROG_TYPE_SK_MSG], target });
  const attachType = attachTypeOf(program, options.attachType);
  const request: AttachRequest = {
    kind: 'sockmap',
    target,
    needed: ['CAP_NET_ADMIN'],
    feature: Feature.SockmapLink,
    hint: 'attach it without a link: via: "prog_attach"',
    reasons: {
      EBUSY: 'a program is attached there already',
      EEXIST: 'a program is attached there already',
      EINVAL: 'the map is no sockmap, or takes no programs of that attach type',
      EOPNOTSUPP: 'the map is no sockmap, or takes no programs of that attach type',
    },
  };
  if (via === 'prog_attach') {
    const number = map.kernel.duplicate(map.fd.value, 3);
    if (number < 0)
      throw syscallError({ call: 'fcntl', errno: number, doing: `attach ${program.name} to ${target}` });
    return ProgAttachment.attach(program, {
      ...request,
      feature: undefined,
      place: new Fd(map.kernel, number, target),
      attachType,
    });
  }
  return createLink(program, { ...request, fields: { target_fd: map.fd.value, attach_type: attachType } });
}

function attachTypeOf(program: BpfProgram, given: SockmapAttachType | undefined): number {
  if (given !== undefined) return attachTypes[given];
  if (program.attachType !== undefined && program.attachType !== 0) return program.attachType;
  if (program.type === uapi.BPF_PROG_TYPE_SK_MSG) return uapi.BPF_SK_MSG_VERDICT;
  throw new ArgumentError(
    'attachType',
    `Cannot attach ${program.name} to a map: nothing says its attach type`,
    {
      hint: 'give the option "attachType"',
    },
  );
}
