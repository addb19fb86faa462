export {
  eachLink,
  findXdpLink,
  forceDetach,
  openLinkById,
  openPinnedLink,
  readLinkInfo,
  tryUpdateLink,
} from './bpf-link.ts';
export { Attachment } from './attachment.ts';
export type { AttachedBy, Link } from './link.ts';
export { liveLinks } from './live-links.ts';
export { BpfLink } from './bpf-link-attachment.ts';
export { inNamespace } from './interface-target.ts';
export type { InterfaceOptions } from './interface-target.ts';
export { linkInfo } from './link-info.ts';
export type { LinkInfo } from './link-info.ts';
export { attachCgroup } from './cgroup.ts';
export type { CgroupAttachType, CgroupMode, CgroupOptions } from './cgroup.ts';
export { findCgroupMount, openCgroup } from './cgroup-path.ts';
export { attachFreplace } from './freplace.ts';
export type { FreplaceOptions } from './freplace.ts';
export { attachIterator, IteratorLink } from './iterator.ts';
export type { CgroupOrder, IteratorOptions } from './iterator.ts';
export { attachKprobe, attachKsyscall } from './kprobe.ts';
export type { KprobeOptions, KsyscallOptions } from './kprobe.ts';
export { attachLirc } from './lirc.ts';
export type { LircOptions } from './lirc.ts';
export { attachKprobeMulti, attachUprobeMulti } from './multi-probe.ts';
export type { KprobeMultiOptions, UprobeMultiOptions } from './multi-probe.ts';
export { attachNetfilter } from './netfilter.ts';
export type { NetfilterOptions } from './netfilter.ts';
export { attachFlowDissector, attachSkLookup } from './netns.ts';
export type { NamespaceOptions } from './netns.ts';
export { PerfEventAttachment } from './perf-attachment.ts';
export type { PerfEventLink } from './perf-attachment.ts';
export { attachPerfEvent, isPerfEventName } from './perf-event.ts';
export type { PerfEventName, PerfEventOptions } from './perf-event.ts';
export type { ProbeVia } from './probe-source.ts';
export { ProgAttachment } from './prog-attach.ts';
export { attachReuseport, attachSocketFilter, SocketAttachment } from './socket-filter.ts';
export type { SocketOptions } from './socket-filter.ts';
export { attachSockmap } from './sockmap.ts';
export type { SockmapAttachType, SockmapOptions } from './sockmap.ts';
export { associateStructOps, attachStructOps, StructOpsRegistration, updateStructOps } from './struct-ops.ts';
export type { StructOpsOptions } from './struct-ops.ts';
export { attachTc, TcAttachment } from './tc.ts';
export type { TcOptions } from './tc.ts';
export { queryHook } from './query-hook.ts';
export type { HookedProgram } from './query-hook.ts';
export { attachTracepoint } from './tracepoint.ts';
export type { TracepointOptions } from './tracepoint.ts';
export { attachRawTracepoint, attachTracing } from './tracing.ts';
export type { CookieOptions, RawTracepointOptions, TracingOptions } from './tracing.ts';
export { attachUprobe } from './uprobe.ts';
export type { UprobeOptions } from './uprobe.ts';
export { attachUsdt, UsdtAttachment } from './usdt.ts';
export type { UsdtOptions } from './usdt.ts';
export { attachNetkit } from './netkit.ts';
export type { NetkitOptions } from './netkit.ts';
export type { Neighbour, OrderOptions } from './order.ts';
export type { PerfEventInfo, UprobeMultiInfo } from './probe-info.ts';
export { attachTcx } from './tcx.ts';
export type { TcxOptions, TrafficDirection } from './tcx.ts';
export { attachXdp } from './xdp.ts';
export type { XdpOptions } from './xdp.ts';
export { XdpAttachment, XdpLink, XdpNetlinkAttachment } from './xdp-attachment.ts';
export type { XdpFacts, XdpVia } from './xdp-attachment.ts';
export { XDP_MODES } from './xdp-mode.ts';
export type { XdpMode } from './xdp-mode.ts';
export type { XdpObstacle, XdpRefusal } from './xdp-refusal.ts';
export { detachXdp } from './xdp-detach.ts';
export type { DetachedXdp } from './xdp-detach.ts';
