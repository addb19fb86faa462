import { UnsupportedFeatureError } from '../../errors.ts';
import * as link from '../../link/index.ts';
import type {
  InterfaceOptions,
  Link,
  NetfilterOptions,
  SockmapAttachType,
  TrafficDirection,
} from '../../link/index.ts';
import { MapType } from '../../maps/index.ts';
import {
  attachToEach,
  missing,
  netnsOf,
  type AttachCall,
  type AttachKind,
  type TargetForm,
} from './request.ts';

const direction: TargetForm = {
  what: 'a direction',
  form: () => 'ingress|egress',
  fits: (target) => target === 'ingress' || target === 'egress',
};

const HOOK = /^(ipv[46]):(prerouting|input|forward|output|postrouting)(?::(-?\d+))?(:defragment)?$/;

const hook: TargetForm = {
  what: 'a hook',
  form: () => 'ipv4|ipv6:prerouting|input|forward|output|postrouting[:PRIORITY][:defragment]',
  fits: (target) => HOOK.test(target),
};

type Maps = ReadonlyMap<string, { readonly type: number }>;

const isSockmap = (maps: Maps, name: string): boolean => {
  const type = maps.get(name)?.type;
  return type === MapType.SockMap || type === MapType.SockHash;
};

const namesOfSockmaps = (maps: Maps): string =>
  [...maps.keys()].filter((name) => isSockmap(maps, name)).join('|') || 'MAP';

const sockmap: TargetForm = {
  what: 'a sockmap or sockhash of the object',
  form: namesOfSockmaps,
  fits: (target, maps) => isSockmap(maps, target),
};

const STREAM = /^(.+):(stream_parser|stream_verdict|verdict)$/;

const sockmapAndType: TargetForm = {
  what: 'a sockmap or sockhash of the object, and when it runs',
  form: (maps) => `${namesOfSockmaps(maps)}:stream_parser|stream_verdict|verdict`,
  fits: (target, maps) => isSockmap(maps, STREAM.exec(target)?.[1] ?? ''),
};

const xdp: AttachKind = {
  place: 'interface',
  heeds: ['via'],
  attach: (call) =>
    onInterfaces(call, (place) =>
      link.attachXdp(call.program, { ...place, ...(call.options.via && { via: call.options.via }) }),
    ),
};
const traffic: AttachKind = {
  place: 'interface',
  heeds: ['via'],
  attach: (call) => onInterfaces(call, (place) => attachTraffic(call, place)),
};
const trafficByTcx: AttachKind = { ...traffic, heeds: [] };
const trafficOpen: AttachKind = { ...traffic, target: direction };
const netkit: AttachKind = {
  place: 'interface',
  attach: (call) => onInterfaces(call, (place) => link.attachNetkit(call.program, place)),
};
const streams: AttachKind = {
  target: sockmap,
  attach: (call) => [attachToMap(call, { map: call.target, attachType: undefined })],
};

/** By the name of the section. */
export const networkKinds: Readonly<Record<string, AttachKind>> = {
  xdp,
  'xdp.frags': xdp,
  'tc/ingress': traffic,
  'tc/egress': traffic,
  'tcx/ingress': trafficByTcx,
  'tcx/egress': trafficByTcx,
  tc: trafficOpen,
  classifier: trafficOpen,
  action: trafficOpen,
  'netkit/primary': netkit,
  'netkit/peer': netkit,
  sk_lookup: {
    heeds: ['netns'],
    attach: ({ program, options }) => [link.attachSkLookup(program, netnsOf(options))],
  },
  flow_dissector: {
    heeds: ['netns'],
    attach: ({ program, options }) => [link.attachFlowDissector(program, netnsOf(options))],
  },
  netfilter: {
    target: hook,
    heeds: ['netns'],
    attach: ({ program, options, target }) => [
      link.attachNetfilter(program, { ...parseHook(target), ...netnsOf(options) }),
    ],
  },
  sk_msg: streams,
  'sk_skb/stream_parser': streams,
  'sk_skb/stream_verdict': streams,
  'sk_skb/verdict': streams,
  sk_skb: {
    target: sockmapAndType,
    attach: (call) => {
      const [, map = '', type = ''] = STREAM.exec(call.target) ?? [];
      return [attachToMap(call, { map, attachType: `sk_skb_${type}` as SockmapAttachType })];
    },
  },
};

/** By tcx, or before Linux 6.6 by a clsact qdisc, unless the section or the caller says which. */
function attachTraffic({ program, section, options, target }: AttachCall, place: InterfaceOptions): Link {
  // Otherwise the program says it by its attach type.
  const direction: TrafficDirection | undefined =
    target === 'ingress' || target === 'egress' ? target : undefined;
  const where = { ...place, ...(direction && { direction }) };
  const saysTcx = section.startsWith('tcx');
  if (options.via === 'netlink' && !saysTcx) return link.attachTc(program, where);
  try {
    return link.attachTcx(program, where);
  } catch (error) {
    if (saysTcx || options.via === 'link' || !(error instanceof UnsupportedFeatureError)) throw error;
    return link.attachTc(program, where);
  }
}

/** By link, or before Linux 6.10 without. */
function attachToMap(
  call: AttachCall,
  { map: name, attachType }: { map: string; attachType: SockmapAttachType | undefined },
): Link {
  const { program } = call;
  const map = call.maps.get(name);
  if (!map) {
    throw missing(program, {
      argument: 'target',
      what: `the map ${name}`,
      hint: 'it was left out of the load',
    });
  }
  const where = { map, ...(attachType && { attachType }) };
  try {
    return link.attachSockmap(program, where);
  } catch (error) {
    if (!(error instanceof UnsupportedFeatureError)) throw error;
    return link.attachSockmap(program, { ...where, via: 'prog_attach' });
  }
}

function parseHook(target: string): Pick<NetfilterOptions, 'family' | 'hook' | 'priority' | 'defragment'> {
  const [, family, hook, priority, defragment] = HOOK.exec(target) ?? [];
  return {
    family: family as NetfilterOptions['family'],
    hook: hook as NetfilterOptions['hook'],
    priority: Number(priority ?? 0),
    defragment: defragment !== undefined,
  };
}

/** On every interface, or on none. */
function onInterfaces({ program, options }: AttachCall, attach: (place: InterfaceOptions) => Link): Link[] {
  const { interfaces = [] } = options;
  if (interfaces.length === 0) {
    throw missing(program, {
      argument: 'interfaces',
      what: 'a network interface',
      hint: 'name it with the option "interfaces"',
    });
  }
  return attachToEach(interfaces, (one) => attach({ interface: one, ...netnsOf(options) }));
}
