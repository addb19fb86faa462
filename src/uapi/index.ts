// generated from Linux 7.2.13 by scripts/generate-uapi.ts; do not edit

export * from './bpf.ts';
export * from './network.ts';
export * from './system.ts';
