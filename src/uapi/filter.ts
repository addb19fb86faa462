// generated from Linux 7.2.13 by scripts/generate-uapi.ts; do not edit

import { at, layout, u16, u32, u64, u8 } from '../binary/index.ts';
import type { StructValue } from '../binary/index.ts';

// macros
export const BPF_MAJOR_VERSION = 1;
export const BPF_MINOR_VERSION = 1;
export const BPF_A = 0x10;
export const BPF_TAX = 0;
export const BPF_TXA = 0x80;
export const BPF_MEMWORDS = 16;
export const SKF_AD_OFF = -4096;
export const SKF_AD_PROTOCOL = 0;
export const SKF_AD_PKTTYPE = 4;
export const SKF_AD_IFINDEX = 8;
export const SKF_AD_NLATTR = 12;
export const SKF_AD_NLATTR_NEST = 16;
export const SKF_AD_MARK = 20;
export const SKF_AD_QUEUE = 24;
export const SKF_AD_HATYPE = 28;
export const SKF_AD_RXHASH = 32;
export const SKF_AD_CPU = 36;
export const SKF_AD_ALU_XOR_X = 40;
export const SKF_AD_VLAN_TAG = 44;
export const SKF_AD_VLAN_TAG_PRESENT = 48;
export const SKF_AD_PAY_OFFSET = 52;
export const SKF_AD_RANDOM = 56;
export const SKF_AD_VLAN_TPID = 60;
export const SKF_AD_MAX = 64;
export const SKF_NET_OFF = -1048576;
export const SKF_LL_OFF = -2097152;
export const BPF_NET_OFF = -1048576;
export const BPF_LL_OFF = -2097152;

export const sock_filter = layout('sock_filter', 8, {
  code: at(0, u16),
  jt: at(2, u8),
  jf: at(3, u8),
  k: at(4, u32),
});
export type sock_filter = StructValue<typeof sock_filter>;

export const sock_fprog = layout('sock_fprog', 16, {
  len: at(0, u16),
  filter: at(8, u64),
});
export type sock_fprog = StructValue<typeof sock_fprog>;
