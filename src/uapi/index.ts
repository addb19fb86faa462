// generated from Linux 7.2.13 by scripts/generate-uapi.ts; do not edit

export * from './bpf.ts';
export * from './btf.ts';
export * from './filter.ts';
export * from './rtnetlink.ts';
export * from './if_link.ts';
export * from './tc.ts';
export * from './if_packet.ts';
export * from './ethtool.ts';
export * from './perf_event.ts';
export * from './capability.ts';
export * from './errno.ts';
