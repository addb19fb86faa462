// generated from Linux 7.2.13 by scripts/generate-uapi.ts; do not edit

import { at, layout, u32, u64 } from '../binary/index.ts';
import type { StructValue } from '../binary/index.ts';

// macros
export const TC_PRIO_BESTEFFORT = 0;
export const TC_PRIO_FILLER = 1;
export const TC_PRIO_BULK = 2;
export const TC_PRIO_INTERACTIVE_BULK = 4;
export const TC_PRIO_INTERACTIVE = 6;
export const TC_PRIO_CONTROL = 7;
export const TC_PRIO_MAX = 15;
export const TC_H_MAJ_MASK = 0xffff0000;
export const TC_H_MIN_MASK = 0xffff;
export const TC_H_UNSPEC = 0;
export const TC_H_ROOT = 0xffffffff;
export const TC_H_INGRESS = 0xfffffff1;
export const TC_H_CLSACT = 4294967281;
export const TC_H_MIN_PRIORITY = 0xffe0;
export const TC_H_MIN_INGRESS = 0xfff2;
export const TC_H_MIN_EGRESS = 0xfff3;

// enum
export const TCA_ACT_UNSPEC = 0;
export const TCA_ACT_KIND = 1;
export const TCA_ACT_OPTIONS = 2;
export const TCA_ACT_INDEX = 3;
export const TCA_ACT_STATS = 4;
export const TCA_ACT_PAD = 5;
export const TCA_ACT_COOKIE = 6;
export const TCA_ACT_FLAGS = 7;
export const TCA_ACT_HW_STATS = 8;
export const TCA_ACT_USED_HW_STATS = 9;
export const TCA_ACT_IN_HW_COUNT = 10;

// enum tca_id
export const TCA_ID_UNSPEC = 0;
export const TCA_ID_POLICE = 1;
export const TCA_ID_GACT = 5;
export const TCA_ID_IPT = 6;
export const TCA_ID_PEDIT = 7;
export const TCA_ID_MIRRED = 8;
export const TCA_ID_NAT = 9;
export const TCA_ID_XT = 10;
export const TCA_ID_SKBEDIT = 11;
export const TCA_ID_VLAN = 12;
export const TCA_ID_BPF = 13;
export const TCA_ID_CONNMARK = 14;
export const TCA_ID_SKBMOD = 15;
export const TCA_ID_CSUM = 16;
export const TCA_ID_TUNNEL_KEY = 17;
export const TCA_ID_SIMP = 22;
export const TCA_ID_IFE = 25;
export const TCA_ID_SAMPLE = 26;
export const TCA_ID_CTINFO = 27;
export const TCA_ID_MPLS = 28;
export const TCA_ID_CT = 29;
export const TCA_ID_GATE = 30;

// enum
export const TCA_U32_UNSPEC = 0;
export const TCA_U32_CLASSID = 1;
export const TCA_U32_HASH = 2;
export const TCA_U32_LINK = 3;
export const TCA_U32_DIVISOR = 4;
export const TCA_U32_SEL = 5;
export const TCA_U32_POLICE = 6;
export const TCA_U32_ACT = 7;
export const TCA_U32_INDEV = 8;
export const TCA_U32_PCNT = 9;
export const TCA_U32_MARK = 10;
export const TCA_U32_FLAGS = 11;
export const TCA_U32_PAD = 12;
export const TCA_BASIC_UNSPEC = 0;
export const TCA_BASIC_CLASSID = 1;
export const TCA_BASIC_EMATCHES = 2;
export const TCA_BASIC_ACT = 3;
export const TCA_BASIC_POLICE = 4;
export const TCA_BASIC_PCNT = 5;
export const TCA_BASIC_PAD = 6;
export const TCA_BPF_UNSPEC = 0;
export const TCA_BPF_ACT = 1;
export const TCA_BPF_POLICE = 2;
export const TCA_BPF_CLASSID = 3;
export const TCA_BPF_OPS_LEN = 4;
export const TCA_BPF_OPS = 5;
export const TCA_BPF_FD = 6;
export const TCA_BPF_NAME = 7;
export const TCA_BPF_FLAGS = 8;
export const TCA_BPF_FLAGS_GEN = 9;
export const TCA_BPF_TAG = 10;
export const TCA_BPF_ID = 11;
export const TCA_MATCHALL_UNSPEC = 0;
export const TCA_MATCHALL_CLASSID = 1;
export const TCA_MATCHALL_ACT = 2;
export const TCA_MATCHALL_FLAGS = 3;
export const TCA_MATCHALL_PCNT = 4;
export const TCA_MATCHALL_PAD = 5;
export const TCF_LAYER_LINK = 0;
export const TCF_LAYER_NETWORK = 1;
export const TCF_LAYER_TRANSPORT = 2;
export const TCF_EM_PROG_TC = 0;
export const TCF_EM_OPND_EQ = 0;
export const TCF_EM_OPND_GT = 1;
export const TCF_EM_OPND_LT = 2;

// macros
export const TCA_ACT_FLAGS_NO_PERCPU_STATS = 1;
export const TCA_ACT_FLAGS_SKIP_HW = 2;
export const TCA_ACT_FLAGS_SKIP_SW = 4;
export const TCA_ACT_HW_STATS_IMMEDIATE = 1;
export const TCA_ACT_HW_STATS_DELAYED = 2;
export const TCA_ACT_MAX = 11;
export const TCA_ACT_MAX_PRIO = 32;
export const TCA_ACT_BIND = 1;
export const TCA_ACT_NOBIND = 0;
export const TCA_ACT_UNBIND = 1;
export const TCA_ACT_NOUNBIND = 0;
export const TCA_ACT_REPLACE = 1;
export const TCA_ACT_NOREPLACE = 0;
export const TC_ACT_UNSPEC = -1;
export const TC_ACT_OK = 0;
export const TC_ACT_RECLASSIFY = 1;
export const TC_ACT_SHOT = 2;
export const TC_ACT_PIPE = 3;
export const TC_ACT_STOLEN = 4;
export const TC_ACT_QUEUED = 5;
export const TC_ACT_REPEAT = 6;
export const TC_ACT_REDIRECT = 7;
export const TC_ACT_TRAP = 8;
export const TC_ACT_VALUE_MAX = 8;
export const TC_ACT_EXT_VAL_MASK = 0xfffffff;
export const TC_ACT_JUMP = 268435456;
export const TC_ACT_GOTO_CHAIN = 536870912;
export const TC_ACT_EXT_OPCODE_MAX = 536870912;
export const TCA_ACT_GACT = 5;
export const TCA_ACT_IPT = 6;
export const TCA_ACT_PEDIT = 7;
export const TCA_ACT_MIRRED = 8;
export const TCA_ACT_NAT = 9;
export const TCA_ACT_XT = 10;
export const TCA_ACT_SKBEDIT = 11;
export const TCA_ACT_VLAN = 12;
export const TCA_ACT_BPF = 13;
export const TCA_ACT_CONNMARK = 14;
export const TCA_ACT_SKBMOD = 15;
export const TCA_ACT_CSUM = 16;
export const TCA_ACT_TUNNEL_KEY = 17;
export const TCA_ACT_SIMP = 22;
export const TCA_ACT_IFE = 25;
export const TCA_ACT_SAMPLE = 26;
export const TCA_ID_MAX = 255;
export const TCA_CLS_FLAGS_SKIP_HW = 1;
export const TCA_CLS_FLAGS_SKIP_SW = 2;
export const TCA_CLS_FLAGS_IN_HW = 4;
export const TCA_CLS_FLAGS_NOT_IN_HW = 8;
export const TCA_CLS_FLAGS_VERBOSE = 0x10;
export const TCA_U32_MAX = 12;
export const TCA_BASIC_MAX = 6;
export const TCA_BPF_FLAG_ACT_DIRECT = 1;
export const TCA_BPF_MAX = 11;
export const TCA_MATCHALL_MAX = 5;
export const TCF_EM_REL_END = 0;
export const TCF_EM_REL_AND = 1;
export const TCF_EM_REL_OR = 2;
export const TCF_EM_INVERT = 4;
export const TCF_EM_SIMPLE = 8;
export const TCF_EM_REL_MASK = 3;
export const TCF_LAYER_MAX = 2;
export const TCF_EM_CONTAINER = 0;
export const TCF_EM_CMP = 1;
export const TCF_EM_NBYTE = 2;
export const TCF_EM_U32 = 3;
export const TCF_EM_META = 4;
export const TCF_EM_TEXT = 5;
export const TCF_EM_VLAN = 6;
export const TCF_EM_CANID = 7;
export const TCF_EM_IPSET = 8;
export const TCF_EM_IPT = 9;
export const TCF_EM_MAX = 9;

export const tc_stats = layout('tc_stats', 40, {
  bytes: at(0, u64),
  packets: at(8, u32),
  drops: at(12, u32),
  overlimits: at(16, u32),
  bps: at(20, u32),
  pps: at(24, u32),
  qlen: at(28, u32),
  backlog: at(32, u32),
});
export type tc_stats = StructValue<typeof tc_stats>;

export const tcf_t = layout('tcf_t', 32, {
  install: at(0, u64),
  lastuse: at(8, u64),
  expires: at(16, u64),
  firstuse: at(24, u64),
});
export type tcf_t = StructValue<typeof tcf_t>;
