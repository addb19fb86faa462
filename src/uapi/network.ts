// generated from Linux 7.2.13 by scripts/generate-uapi.ts; do not edit

import { at, be16, bytes, chars, i32, layout, u16, u32, u64, u8 } from '../binary/index.ts';
import type { StructValue } from '../binary/index.ts';

// linux/netlink.h

// enum nlmsgerr_attrs
export const NLMSGERR_ATTR_UNUSED = 0;
export const NLMSGERR_ATTR_MSG = 1;
export const NLMSGERR_ATTR_OFFS = 2;
export const NLMSGERR_ATTR_COOKIE = 3;
export const NLMSGERR_ATTR_POLICY = 4;
export const NLMSGERR_ATTR_MISS_TYPE = 5;
export const NLMSGERR_ATTR_MISS_NEST = 6;
export const NLMSGERR_ATTR_MAX = 6;

// enum
export const NETLINK_UNCONNECTED = 0;
export const NETLINK_CONNECTED = 1;

// macros
export const NETLINK_ROUTE = 0;
export const NETLINK_UNUSED = 1;
export const NETLINK_USERSOCK = 2;
export const NETLINK_FIREWALL = 3;
export const NETLINK_SOCK_DIAG = 4;
export const NETLINK_NFLOG = 5;
export const NETLINK_XFRM = 6;
export const NETLINK_SELINUX = 7;
export const NETLINK_ISCSI = 8;
export const NETLINK_AUDIT = 9;
export const NETLINK_FIB_LOOKUP = 10;
export const NETLINK_CONNECTOR = 11;
export const NETLINK_NETFILTER = 12;
export const NETLINK_IP6_FW = 13;
export const NETLINK_DNRTMSG = 14;
export const NETLINK_KOBJECT_UEVENT = 15;
export const NETLINK_GENERIC = 16;
export const NETLINK_SCSITRANSPORT = 18;
export const NETLINK_ECRYPTFS = 19;
export const NETLINK_RDMA = 20;
export const NETLINK_CRYPTO = 21;
export const NETLINK_SMC = 22;
export const NETLINK_INET_DIAG = 4;
export const NLM_F_REQUEST = 1;
export const NLM_F_MULTI = 2;
export const NLM_F_ACK = 4;
export const NLM_F_ECHO = 8;
export const NLM_F_DUMP_INTR = 0x10;
export const NLM_F_DUMP_FILTERED = 0x20;
export const NLM_F_ROOT = 0x100;
export const NLM_F_MATCH = 0x200;
export const NLM_F_ATOMIC = 0x400;
export const NLM_F_DUMP = 768;
export const NLM_F_REPLACE = 0x100;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;
export const NLM_F_APPEND = 0x800;
export const NLM_F_NONREC = 0x100;
export const NLM_F_BULK = 0x200;
export const NLM_F_CAPPED = 0x100;
export const NLM_F_ACK_TLVS = 0x200;
export const NLMSG_ALIGNTO = 4;
export const NLMSG_HDRLEN = 16;
export const NLMSG_NOOP = 1;
export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;
export const NLMSG_OVERRUN = 4;
export const NLMSG_MIN_TYPE = 0x10;
export const NETLINK_ADD_MEMBERSHIP = 1;
export const NETLINK_DROP_MEMBERSHIP = 2;
export const NETLINK_PKTINFO = 3;
export const NETLINK_BROADCAST_ERROR = 4;
export const NETLINK_NO_ENOBUFS = 5;
export const NETLINK_RX_RING = 6;
export const NETLINK_TX_RING = 7;
export const NETLINK_LISTEN_ALL_NSID = 8;
export const NETLINK_LIST_MEMBERSHIPS = 9;
export const NETLINK_CAP_ACK = 10;
export const NETLINK_EXT_ACK = 11;
export const NETLINK_GET_STRICT_CHK = 12;
export const NLA_F_NESTED = 0x8000;
export const NLA_F_NET_BYTEORDER = 0x4000;
export const NLA_TYPE_MASK = -49153;
export const NLA_ALIGNTO = 4;
export const NLA_HDRLEN = 4;

export const sockaddr_nl = layout('sockaddr_nl', 12, {
  nl_family: at(0, u16),
  nl_pad: at(2, u16),
  nl_pid: at(4, u32),
  nl_groups: at(8, u32),
});
export type sockaddr_nl = StructValue<typeof sockaddr_nl>;

export const nlmsghdr = layout('nlmsghdr', 16, {
  nlmsg_len: at(0, u32),
  nlmsg_type: at(4, u16),
  nlmsg_flags: at(6, u16),
  nlmsg_seq: at(8, u32),
  nlmsg_pid: at(12, u32),
});
export type nlmsghdr = StructValue<typeof nlmsghdr>;

export const nlmsgerr = layout('nlmsgerr', 20, {
  error: at(0, i32),
  msg: at(4, nlmsghdr),
});
export type nlmsgerr = StructValue<typeof nlmsgerr>;

export const nlattr = layout('nlattr', 4, {
  nla_len: at(0, u16),
  nla_type: at(2, u16),
});
export type nlattr = StructValue<typeof nlattr>;

// linux/rtnetlink.h

// enum
export const RTM_BASE = 16;
export const RTM_NEWLINK = 16;
export const RTM_DELLINK = 17;
export const RTM_GETLINK = 18;
export const RTM_SETLINK = 19;
export const RTM_NEWADDR = 20;
export const RTM_DELADDR = 21;
export const RTM_GETADDR = 22;
export const RTM_NEWROUTE = 24;
export const RTM_DELROUTE = 25;
export const RTM_GETROUTE = 26;
export const RTM_NEWNEIGH = 28;
export const RTM_DELNEIGH = 29;
export const RTM_GETNEIGH = 30;
export const RTM_NEWRULE = 32;
export const RTM_DELRULE = 33;
export const RTM_GETRULE = 34;
export const RTM_NEWQDISC = 36;
export const RTM_DELQDISC = 37;
export const RTM_GETQDISC = 38;
export const RTM_NEWTCLASS = 40;
export const RTM_DELTCLASS = 41;
export const RTM_GETTCLASS = 42;
export const RTM_NEWTFILTER = 44;
export const RTM_DELTFILTER = 45;
export const RTM_GETTFILTER = 46;
export const RTM_NEWACTION = 48;
export const RTM_DELACTION = 49;
export const RTM_GETACTION = 50;
export const RTM_NEWPREFIX = 52;
export const RTM_NEWMULTICAST = 56;
export const RTM_DELMULTICAST = 57;
export const RTM_GETMULTICAST = 58;
export const RTM_NEWANYCAST = 60;
export const RTM_DELANYCAST = 61;
export const RTM_GETANYCAST = 62;
export const RTM_NEWNEIGHTBL = 64;
export const RTM_GETNEIGHTBL = 66;
export const RTM_SETNEIGHTBL = 67;
export const RTM_NEWNDUSEROPT = 68;
export const RTM_NEWADDRLABEL = 72;
export const RTM_DELADDRLABEL = 73;
export const RTM_GETADDRLABEL = 74;
export const RTM_GETDCB = 78;
export const RTM_SETDCB = 79;
export const RTM_NEWNETCONF = 80;
export const RTM_DELNETCONF = 81;
export const RTM_GETNETCONF = 82;
export const RTM_NEWMDB = 84;
export const RTM_DELMDB = 85;
export const RTM_GETMDB = 86;
export const RTM_NEWNSID = 88;
export const RTM_DELNSID = 89;
export const RTM_GETNSID = 90;
export const RTM_NEWSTATS = 92;
export const RTM_GETSTATS = 94;
export const RTM_SETSTATS = 95;
export const RTM_NEWCACHEREPORT = 96;
export const RTM_NEWCHAIN = 100;
export const RTM_DELCHAIN = 101;
export const RTM_GETCHAIN = 102;
export const RTM_NEWNEXTHOP = 104;
export const RTM_DELNEXTHOP = 105;
export const RTM_GETNEXTHOP = 106;
export const RTM_NEWLINKPROP = 108;
export const RTM_DELLINKPROP = 109;
export const RTM_GETLINKPROP = 110;
export const RTM_NEWVLAN = 112;
export const RTM_DELVLAN = 113;
export const RTM_GETVLAN = 114;
export const RTM_NEWNEXTHOPBUCKET = 116;
export const RTM_DELNEXTHOPBUCKET = 117;
export const RTM_GETNEXTHOPBUCKET = 118;
export const RTM_NEWTUNNEL = 120;
export const RTM_DELTUNNEL = 121;
export const RTM_GETTUNNEL = 122;

// enum rtattr_type_t
export const RTA_UNSPEC = 0;
export const RTA_DST = 1;
export const RTA_SRC = 2;
export const RTA_IIF = 3;
export const RTA_OIF = 4;
export const RTA_GATEWAY = 5;
export const RTA_PRIORITY = 6;
export const RTA_PREFSRC = 7;
export const RTA_METRICS = 8;
export const RTA_MULTIPATH = 9;
export const RTA_PROTOINFO = 10;
export const RTA_FLOW = 11;
export const RTA_CACHEINFO = 12;
export const RTA_SESSION = 13;
export const RTA_MP_ALGO = 14;
export const RTA_TABLE = 15;
export const RTA_MARK = 16;
export const RTA_MFC_STATS = 17;
export const RTA_VIA = 18;
export const RTA_NEWDST = 19;
export const RTA_PREF = 20;
export const RTA_ENCAP_TYPE = 21;
export const RTA_ENCAP = 22;
export const RTA_EXPIRES = 23;
export const RTA_PAD = 24;
export const RTA_UID = 25;
export const RTA_TTL_PROPAGATE = 26;
export const RTA_IP_PROTO = 27;
export const RTA_SPORT = 28;
export const RTA_DPORT = 29;
export const RTA_NH_ID = 30;
export const RTA_FLOWLABEL = 31;

// enum
export const TCA_UNSPEC = 0;
export const TCA_KIND = 1;
export const TCA_OPTIONS = 2;
export const TCA_STATS = 3;
export const TCA_XSTATS = 4;
export const TCA_RATE = 5;
export const TCA_FCNT = 6;
export const TCA_STATS2 = 7;
export const TCA_STAB = 8;
export const TCA_PAD = 9;
export const TCA_DUMP_INVISIBLE = 10;
export const TCA_CHAIN = 11;
export const TCA_HW_OFFLOAD = 12;
export const TCA_INGRESS_BLOCK = 13;
export const TCA_EGRESS_BLOCK = 14;
export const TCA_DUMP_FLAGS = 15;
export const TCA_EXT_WARN_MSG = 16;

// enum rtnetlink_groups
export const RTNLGRP_NONE = 0;
export const RTNLGRP_LINK = 1;
export const RTNLGRP_NOTIFY = 2;
export const RTNLGRP_NEIGH = 3;
export const RTNLGRP_TC = 4;
export const RTNLGRP_IPV4_IFADDR = 5;
export const RTNLGRP_IPV4_MROUTE = 6;
export const RTNLGRP_IPV4_ROUTE = 7;
export const RTNLGRP_IPV4_RULE = 8;
export const RTNLGRP_IPV6_IFADDR = 9;
export const RTNLGRP_IPV6_MROUTE = 10;
export const RTNLGRP_IPV6_ROUTE = 11;
export const RTNLGRP_IPV6_IFINFO = 12;
export const RTNLGRP_DECnet_IFADDR = 13;
export const RTNLGRP_NOP2 = 14;
export const RTNLGRP_DECnet_ROUTE = 15;
export const RTNLGRP_DECnet_RULE = 16;
export const RTNLGRP_NOP4 = 17;
export const RTNLGRP_IPV6_PREFIX = 18;
export const RTNLGRP_IPV6_RULE = 19;
export const RTNLGRP_ND_USEROPT = 20;
export const RTNLGRP_PHONET_IFADDR = 21;
export const RTNLGRP_PHONET_ROUTE = 22;
export const RTNLGRP_DCB = 23;
export const RTNLGRP_IPV4_NETCONF = 24;
export const RTNLGRP_IPV6_NETCONF = 25;
export const RTNLGRP_MDB = 26;
export const RTNLGRP_MPLS_ROUTE = 27;
export const RTNLGRP_NSID = 28;
export const RTNLGRP_MPLS_NETCONF = 29;
export const RTNLGRP_IPV4_MROUTE_R = 30;
export const RTNLGRP_IPV6_MROUTE_R = 31;
export const RTNLGRP_NEXTHOP = 32;
export const RTNLGRP_BRVLAN = 33;
export const RTNLGRP_MCTP_IFADDR = 34;
export const RTNLGRP_TUNNEL = 35;
export const RTNLGRP_STATS = 36;
export const RTNLGRP_IPV4_MCADDR = 37;
export const RTNLGRP_IPV6_MCADDR = 38;
export const RTNLGRP_IPV6_ACADDR = 39;

// enum
export const TCA_ROOT_UNSPEC = 0;
export const TCA_ROOT_TAB = 1;
export const TCA_ROOT_FLAGS = 2;
export const TCA_ROOT_COUNT = 3;
export const TCA_ROOT_TIME_DELTA = 4;
export const TCA_ROOT_EXT_WARN_MSG = 5;

// macros
export const RTM_MAX = 123;
export const RTM_NR_MSGTYPES = 108;
export const RTM_NR_FAMILIES = 27;
export const RTA_ALIGNTO = 4;
export const RTM_F_NOTIFY = 0x100;
export const RTM_F_CLONED = 0x200;
export const RTM_F_EQUALIZE = 0x400;
export const RTM_F_PREFIX = 0x800;
export const RTM_F_LOOKUP_TABLE = 0x1000;
export const RTM_F_FIB_MATCH = 0x2000;
export const RTM_F_OFFLOAD = 0x4000;
export const RTM_F_TRAP = 0x8000;
export const RTM_F_OFFLOAD_FAILED = 0x20000000;
export const RTA_MAX = 31;
export const TCM_IFINDEX_MAGIC_BLOCK = 0xffffffff;
export const TCA_MAX = 16;
export const TCA_DUMP_FLAGS_TERSE = 1;
export const RTNLGRP_MAX = 39;
export const TCA_ACT_TAB = 1;
export const TCA_ROOT_MAX = 5;
export const TCA_FLAG_LARGE_DUMP_ON = 1;
export const TCA_ACT_FLAG_LARGE_DUMP_ON = 1;
export const TCA_ACT_FLAG_TERSE_DUMP = 2;
export const RTEXT_FILTER_VF = 1;
export const RTEXT_FILTER_BRVLAN = 2;
export const RTEXT_FILTER_BRVLAN_COMPRESSED = 4;
export const RTEXT_FILTER_SKIP_STATS = 8;
export const RTEXT_FILTER_MRP = 0x10;
export const RTEXT_FILTER_CFM_CONFIG = 0x20;
export const RTEXT_FILTER_CFM_STATUS = 0x40;
export const RTEXT_FILTER_MST = 0x80;
export const RTEXT_FILTER_NAME_ONLY = 0x100;

export const rtattr = layout('rtattr', 4, {
  rta_len: at(0, u16),
  rta_type: at(2, u16),
});
export type rtattr = StructValue<typeof rtattr>;

export const rtgenmsg = layout('rtgenmsg', 1, {
  rtgen_family: at(0, u8),
});
export type rtgenmsg = StructValue<typeof rtgenmsg>;

export const rtmsg = layout('rtmsg', 12, {
  rtm_family: at(0, u8),
  rtm_dst_len: at(1, u8),
  rtm_src_len: at(2, u8),
  rtm_tos: at(3, u8),
  rtm_table: at(4, u8),
  rtm_protocol: at(5, u8),
  rtm_scope: at(6, u8),
  rtm_type: at(7, u8),
  rtm_flags: at(8, u32),
});
export type rtmsg = StructValue<typeof rtmsg>;

export const ifinfomsg = layout('ifinfomsg', 16, {
  ifi_family: at(0, u8),
  __ifi_pad: at(1, u8),
  ifi_type: at(2, u16),
  ifi_index: at(4, i32),
  ifi_flags: at(8, u32),
  ifi_change: at(12, u32),
});
export type ifinfomsg = StructValue<typeof ifinfomsg>;

export const tcmsg = layout('tcmsg', 20, {
  tcm_family: at(0, u8),
  tcm__pad1: at(1, u8),
  tcm__pad2: at(2, u16),
  tcm_ifindex: at(4, i32),
  tcm_handle: at(8, u32),
  tcm_parent: at(12, u32),
  tcm_info: at(16, u32),
});
export type tcmsg = StructValue<typeof tcmsg>;

export const tcamsg = layout('tcamsg', 4, {
  tca_family: at(0, u8),
  tca__pad1: at(1, u8),
  tca__pad2: at(2, u16),
});
export type tcamsg = StructValue<typeof tcamsg>;

// linux/if_addr.h

// enum
export const IFA_UNSPEC = 0;
export const IFA_ADDRESS = 1;
export const IFA_LOCAL = 2;
export const IFA_LABEL = 3;
export const IFA_BROADCAST = 4;
export const IFA_ANYCAST = 5;
export const IFA_CACHEINFO = 6;
export const IFA_MULTICAST = 7;
export const IFA_FLAGS = 8;
export const IFA_RT_PRIORITY = 9;
export const IFA_TARGET_NETNSID = 10;
export const IFA_PROTO = 11;

// macros
export const IFA_MAX = 11;
export const IFA_F_SECONDARY = 1;
export const IFA_F_TEMPORARY = 1;
export const IFA_F_NODAD = 2;
export const IFA_F_OPTIMISTIC = 4;
export const IFA_F_DADFAILED = 8;
export const IFA_F_HOMEADDRESS = 0x10;
export const IFA_F_DEPRECATED = 0x20;
export const IFA_F_TENTATIVE = 0x40;
export const IFA_F_PERMANENT = 0x80;
export const IFA_F_MANAGETEMPADDR = 0x100;
export const IFA_F_NOPREFIXROUTE = 0x200;
export const IFA_F_MCAUTOJOIN = 0x400;
export const IFA_F_STABLE_PRIVACY = 0x800;
export const IFAPROT_UNSPEC = 0;
export const IFAPROT_KERNEL_LO = 1;
export const IFAPROT_KERNEL_RA = 2;
export const IFAPROT_KERNEL_LL = 3;

export const ifaddrmsg = layout('ifaddrmsg', 8, {
  ifa_family: at(0, u8),
  ifa_prefixlen: at(1, u8),
  ifa_flags: at(2, u8),
  ifa_scope: at(3, u8),
  ifa_index: at(4, u32),
});
export type ifaddrmsg = StructValue<typeof ifaddrmsg>;

export const ifa_cacheinfo = layout('ifa_cacheinfo', 16, {
  ifa_prefered: at(0, u32),
  ifa_valid: at(4, u32),
  cstamp: at(8, u32),
  tstamp: at(12, u32),
});
export type ifa_cacheinfo = StructValue<typeof ifa_cacheinfo>;

// linux/if_link.h

// enum
export const IFLA_UNSPEC = 0;
export const IFLA_ADDRESS = 1;
export const IFLA_BROADCAST = 2;
export const IFLA_IFNAME = 3;
export const IFLA_MTU = 4;
export const IFLA_LINK = 5;
export const IFLA_QDISC = 6;
export const IFLA_STATS = 7;
export const IFLA_COST = 8;
export const IFLA_PRIORITY = 9;
export const IFLA_MASTER = 10;
export const IFLA_WIRELESS = 11;
export const IFLA_PROTINFO = 12;
export const IFLA_TXQLEN = 13;
export const IFLA_MAP = 14;
export const IFLA_WEIGHT = 15;
export const IFLA_OPERSTATE = 16;
export const IFLA_LINKMODE = 17;
export const IFLA_LINKINFO = 18;
export const IFLA_NET_NS_PID = 19;
export const IFLA_IFALIAS = 20;
export const IFLA_NUM_VF = 21;
export const IFLA_VFINFO_LIST = 22;
export const IFLA_STATS64 = 23;
export const IFLA_AF_SPEC = 26;
export const IFLA_GROUP = 27;
export const IFLA_NET_NS_FD = 28;
export const IFLA_EXT_MASK = 29;
export const IFLA_PROMISCUITY = 30;
export const IFLA_NUM_TX_QUEUES = 31;
export const IFLA_NUM_RX_QUEUES = 32;
export const IFLA_CARRIER = 33;
export const IFLA_PHYS_PORT_ID = 34;
export const IFLA_CARRIER_CHANGES = 35;
export const IFLA_PHYS_SWITCH_ID = 36;
export const IFLA_LINK_NETNSID = 37;
export const IFLA_PHYS_PORT_NAME = 38;
export const IFLA_PROTO_DOWN = 39;
export const IFLA_GSO_MAX_SEGS = 40;
export const IFLA_GSO_MAX_SIZE = 41;
export const IFLA_PAD = 42;
export const IFLA_XDP = 43;
export const IFLA_EVENT = 44;
export const IFLA_NEW_NETNSID = 45;
export const IFLA_IF_NETNSID = 46;
export const IFLA_TARGET_NETNSID = 46;
export const IFLA_CARRIER_UP_COUNT = 47;
export const IFLA_CARRIER_DOWN_COUNT = 48;
export const IFLA_NEW_IFINDEX = 49;
export const IFLA_MIN_MTU = 50;
export const IFLA_MAX_MTU = 51;
export const IFLA_PROP_LIST = 52;
export const IFLA_ALT_IFNAME = 53;
export const IFLA_PERM_ADDRESS = 54;
export const IFLA_PROTO_DOWN_REASON = 55;
export const IFLA_PARENT_DEV_NAME = 56;
export const IFLA_PARENT_DEV_BUS_NAME = 57;
export const IFLA_GRO_MAX_SIZE = 58;
export const IFLA_TSO_MAX_SIZE = 59;
export const IFLA_TSO_MAX_SEGS = 60;
export const IFLA_ALLMULTI = 61;
export const IFLA_DEVLINK_PORT = 62;
export const IFLA_GSO_IPV4_MAX_SIZE = 63;
export const IFLA_GRO_IPV4_MAX_SIZE = 64;
export const IFLA_MAX_PACING_OFFLOAD_HORIZON = 66;
export const IFLA_NETNS_IMMUTABLE = 67;
export const IFLA_HEADROOM = 68;
export const IFLA_TAILROOM = 69;
export const IFLA_PROTO_DOWN_REASON_UNSPEC = 0;
export const IFLA_PROTO_DOWN_REASON_MASK = 1;
export const IFLA_PROTO_DOWN_REASON_VALUE = 2;
export const IFLA_PROTO_DOWN_REASON_MAX = 2;
export const IFLA_INFO_UNSPEC = 0;
export const IFLA_INFO_KIND = 1;
export const IFLA_INFO_DATA = 2;
export const IFLA_INFO_XSTATS = 3;
export const IFLA_INFO_SLAVE_KIND = 4;
export const IFLA_INFO_SLAVE_DATA = 5;

// enum netkit_action
export const NETKIT_NEXT = -1;
export const NETKIT_PASS = 0;
export const NETKIT_DROP = 2;
export const NETKIT_REDIRECT = 7;

// enum netkit_mode
export const NETKIT_L2 = 0;
export const NETKIT_L3 = 1;

// enum netkit_pairing
export const NETKIT_DEVICE_PAIR = 0;
export const NETKIT_DEVICE_SINGLE = 1;

// enum netkit_scrub
export const NETKIT_SCRUB_NONE = 0;
export const NETKIT_SCRUB_DEFAULT = 1;

// enum
export const IFLA_NETKIT_UNSPEC = 0;
export const IFLA_NETKIT_PEER_INFO = 1;
export const IFLA_NETKIT_PRIMARY = 2;
export const IFLA_NETKIT_POLICY = 3;
export const IFLA_NETKIT_PEER_POLICY = 4;
export const IFLA_NETKIT_MODE = 5;
export const IFLA_NETKIT_SCRUB = 6;
export const IFLA_NETKIT_PEER_SCRUB = 7;
export const IFLA_NETKIT_HEADROOM = 8;
export const IFLA_NETKIT_TAILROOM = 9;
export const IFLA_NETKIT_PAIRING = 10;
export const IFLA_VXLAN_LEARNING = 7;
export const IFLA_VXLAN_PORT = 15;
export const IFLA_VXLAN_COLLECT_METADATA = 25;
export const XDP_ATTACHED_NONE = 0;
export const XDP_ATTACHED_DRV = 1;
export const XDP_ATTACHED_SKB = 2;
export const XDP_ATTACHED_HW = 3;
export const XDP_ATTACHED_MULTI = 4;
export const IFLA_XDP_UNSPEC = 0;
export const IFLA_XDP_FD = 1;
export const IFLA_XDP_ATTACHED = 2;
export const IFLA_XDP_FLAGS = 3;
export const IFLA_XDP_PROG_ID = 4;
export const IFLA_XDP_DRV_PROG_ID = 5;
export const IFLA_XDP_SKB_PROG_ID = 6;
export const IFLA_XDP_HW_PROG_ID = 7;
export const IFLA_XDP_EXPECTED_FD = 8;

// macros
export const IFLA_MAX = 69;
export const IFLA_INFO_MAX = 5;
export const IFLA_NETKIT_MAX = 10;
export const XDP_FLAGS_UPDATE_IF_NOEXIST = 1;
export const XDP_FLAGS_SKB_MODE = 2;
export const XDP_FLAGS_DRV_MODE = 4;
export const XDP_FLAGS_HW_MODE = 8;
export const XDP_FLAGS_REPLACE = 0x10;
export const XDP_FLAGS_MODES = 14;
export const XDP_FLAGS_MASK = 31;
export const IFLA_XDP_MAX = 8;

export const rtnl_link_stats = layout('rtnl_link_stats', 96, {
  rx_packets: at(0, u32),
  tx_packets: at(4, u32),
  rx_bytes: at(8, u32),
  tx_bytes: at(12, u32),
  rx_errors: at(16, u32),
  tx_errors: at(20, u32),
  rx_dropped: at(24, u32),
  tx_dropped: at(28, u32),
  multicast: at(32, u32),
  collisions: at(36, u32),
  rx_length_errors: at(40, u32),
  rx_over_errors: at(44, u32),
  rx_crc_errors: at(48, u32),
  rx_frame_errors: at(52, u32),
  rx_fifo_errors: at(56, u32),
  rx_missed_errors: at(60, u32),
  tx_aborted_errors: at(64, u32),
  tx_carrier_errors: at(68, u32),
  tx_fifo_errors: at(72, u32),
  tx_heartbeat_errors: at(76, u32),
  tx_window_errors: at(80, u32),
  rx_compressed: at(84, u32),
  tx_compressed: at(88, u32),
  rx_nohandler: at(92, u32),
});
export type rtnl_link_stats = StructValue<typeof rtnl_link_stats>;

export const rtnl_link_stats64 = layout('rtnl_link_stats64', 200, {
  rx_packets: at(0, u64),
  tx_packets: at(8, u64),
  rx_bytes: at(16, u64),
  tx_bytes: at(24, u64),
  rx_errors: at(32, u64),
  tx_errors: at(40, u64),
  rx_dropped: at(48, u64),
  tx_dropped: at(56, u64),
  multicast: at(64, u64),
  collisions: at(72, u64),
  rx_length_errors: at(80, u64),
  rx_over_errors: at(88, u64),
  rx_crc_errors: at(96, u64),
  rx_frame_errors: at(104, u64),
  rx_fifo_errors: at(112, u64),
  rx_missed_errors: at(120, u64),
  tx_aborted_errors: at(128, u64),
  tx_carrier_errors: at(136, u64),
  tx_fifo_errors: at(144, u64),
  tx_heartbeat_errors: at(152, u64),
  tx_window_errors: at(160, u64),
  rx_compressed: at(168, u64),
  tx_compressed: at(176, u64),
  rx_nohandler: at(184, u64),
  rx_otherhost_dropped: at(192, u64),
});
export type rtnl_link_stats64 = StructValue<typeof rtnl_link_stats64>;

// linux/if.h

// enum net_device_flags
export const IFF_UP = 1;
export const IFF_BROADCAST = 2;
export const IFF_DEBUG = 4;
export const IFF_LOOPBACK = 8;
export const IFF_POINTOPOINT = 0x10;
export const IFF_NOTRAILERS = 0x20;
export const IFF_RUNNING = 0x40;
export const IFF_NOARP = 0x80;
export const IFF_PROMISC = 0x100;
export const IFF_ALLMULTI = 0x200;
export const IFF_MASTER = 0x400;
export const IFF_SLAVE = 0x800;
export const IFF_MULTICAST = 0x1000;
export const IFF_PORTSEL = 0x2000;
export const IFF_AUTOMEDIA = 0x4000;
export const IFF_DYNAMIC = 0x8000;
export const IFF_LOWER_UP = 0x10000;
export const IFF_DORMANT = 0x20000;
export const IFF_ECHO = 0x40000;

// enum
export const IF_OPER_UNKNOWN = 0;
export const IF_OPER_NOTPRESENT = 1;
export const IF_OPER_DOWN = 2;
export const IF_OPER_LOWERLAYERDOWN = 3;
export const IF_OPER_TESTING = 4;
export const IF_OPER_DORMANT = 5;
export const IF_OPER_UP = 6;

// macros
export const IFNAMSIZ = 16;
export const IFALIASZ = 256;
export const IFF_VOLATILE = 461914;

// linux/veth.h

// enum
export const VETH_INFO_UNSPEC = 0;
export const VETH_INFO_PEER = 1;

// macros
export const VETH_INFO_MAX = 1;

// linux/pkt_sched.h

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

// linux/pkt_cls.h

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

export const tcf_t = layout('tcf_t', 32, {
  install: at(0, u64),
  lastuse: at(8, u64),
  expires: at(16, u64),
  firstuse: at(24, u64),
});
export type tcf_t = StructValue<typeof tcf_t>;

// linux/netfilter.h

// enum nf_inet_hooks
export const NF_INET_PRE_ROUTING = 0;
export const NF_INET_LOCAL_IN = 1;
export const NF_INET_FORWARD = 2;
export const NF_INET_LOCAL_OUT = 3;
export const NF_INET_POST_ROUTING = 4;
export const NF_INET_NUMHOOKS = 5;
export const NF_INET_INGRESS = 5;

// enum
export const NFPROTO_UNSPEC = 0;
export const NFPROTO_INET = 1;
export const NFPROTO_IPV4 = 2;
export const NFPROTO_ARP = 3;
export const NFPROTO_NETDEV = 5;
export const NFPROTO_BRIDGE = 7;
export const NFPROTO_IPV6 = 10;
export const NFPROTO_DECNET = 12;
export const NFPROTO_NUMPROTO = 13;

// linux/netfilter_ipv4.h

// enum nf_ip_hook_priorities
export const NF_IP_PRI_FIRST = -2147483648;
export const NF_IP_PRI_RAW_BEFORE_DEFRAG = -450;
export const NF_IP_PRI_CONNTRACK_DEFRAG = -400;
export const NF_IP_PRI_RAW = -300;
export const NF_IP_PRI_SELINUX_FIRST = -225;
export const NF_IP_PRI_CONNTRACK = -200;
export const NF_IP_PRI_MANGLE = -150;
export const NF_IP_PRI_NAT_DST = -100;
export const NF_IP_PRI_FILTER = 0;
export const NF_IP_PRI_SECURITY = 50;
export const NF_IP_PRI_NAT_SRC = 100;
export const NF_IP_PRI_SELINUX_LAST = 225;
export const NF_IP_PRI_CONNTRACK_HELPER = 300;
export const NF_IP_PRI_CONNTRACK_CONFIRM = 2147483647;
export const NF_IP_PRI_LAST = 2147483647;

// linux/if_ether.h

// macros
export const ETH_ALEN = 6;
export const ETH_TLEN = 2;
export const ETH_HLEN = 14;
export const ETH_ZLEN = 60;
export const ETH_DATA_LEN = 1500;
export const ETH_FRAME_LEN = 1514;
export const ETH_FCS_LEN = 4;
export const ETH_MIN_MTU = 68;
export const ETH_MAX_MTU = 0xffff;
export const ETH_P_LOOP = 0x60;
export const ETH_P_PUP = 0x200;
export const ETH_P_PUPAT = 0x201;
export const ETH_P_TSN = 0x22f0;
export const ETH_P_ERSPAN2 = 0x22eb;
export const ETH_P_IP = 0x800;
export const ETH_P_X25 = 0x805;
export const ETH_P_ARP = 0x806;
export const ETH_P_BPQ = 0x8ff;
export const ETH_P_IEEEPUP = 0xa00;
export const ETH_P_IEEEPUPAT = 0xa01;
export const ETH_P_BATMAN = 0x4305;
export const ETH_P_DEC = 0x6000;
export const ETH_P_DNA_DL = 0x6001;
export const ETH_P_DNA_RC = 0x6002;
export const ETH_P_DNA_RT = 0x6003;
export const ETH_P_LAT = 0x6004;
export const ETH_P_DIAG = 0x6005;
export const ETH_P_CUST = 0x6006;
export const ETH_P_SCA = 0x6007;
export const ETH_P_TEB = 0x6558;
export const ETH_P_RARP = 0x8035;
export const ETH_P_ATALK = 0x809b;
export const ETH_P_AARP = 0x80f3;
export const ETH_P_8021Q = 0x8100;
export const ETH_P_ERSPAN = 0x88be;
export const ETH_P_IPX = 0x8137;
export const ETH_P_IPV6 = 0x86dd;
export const ETH_P_PAUSE = 0x8808;
export const ETH_P_SLOW = 0x8809;
export const ETH_P_WCCP = 0x883e;
export const ETH_P_MPLS_UC = 0x8847;
export const ETH_P_MPLS_MC = 0x8848;
export const ETH_P_ATMMPOA = 0x884c;
export const ETH_P_PPP_DISC = 0x8863;
export const ETH_P_PPP_SES = 0x8864;
export const ETH_P_LINK_CTL = 0x886c;
export const ETH_P_8021AC = 0x8870;
export const ETH_P_ATMFATE = 0x8884;
export const ETH_P_PAE = 0x888e;
export const ETH_P_PROFINET = 0x8892;
export const ETH_P_REALTEK = 0x8899;
export const ETH_P_AOE = 0x88a2;
export const ETH_P_ETHERCAT = 0x88a4;
export const ETH_P_8021AD = 0x88a8;
export const ETH_P_802_EX1 = 0x88b5;
export const ETH_P_MXLGSW = 0x88c3;
export const ETH_P_PREAUTH = 0x88c7;
export const ETH_P_TIPC = 0x88ca;
export const ETH_P_LLDP = 0x88cc;
export const ETH_P_MRP = 0x88e3;
export const ETH_P_MACSEC = 0x88e5;
export const ETH_P_8021AH = 0x88e7;
export const ETH_P_MVRP = 0x88f5;
export const ETH_P_1588 = 0x88f7;
export const ETH_P_NCSI = 0x88f8;
export const ETH_P_PRP = 0x88fb;
export const ETH_P_CFM = 0x8902;
export const ETH_P_FCOE = 0x8906;
export const ETH_P_IBOE = 0x8915;
export const ETH_P_TDLS = 0x890d;
export const ETH_P_FIP = 0x8914;
export const ETH_P_80221 = 0x8917;
export const ETH_P_HSR = 0x892f;
export const ETH_P_NSH = 0x894f;
export const ETH_P_LOOPBACK = 0x9000;
export const ETH_P_QINQ1 = 0x9100;
export const ETH_P_QINQ2 = 0x9200;
export const ETH_P_QINQ3 = 0x9300;
export const ETH_P_YT921X = 0x9988;
export const ETH_P_EDSA = 0xdada;
export const ETH_P_DSA_8021Q = 0xdadb;
export const ETH_P_DSA_A5PSW = 0xe001;
export const ETH_P_IFE = 0xed3e;
export const ETH_P_AF_IUCV = 0xfbfb;
export const ETH_P_NXP_NETC = 0xfd3a;
export const ETH_P_802_3_MIN = 0x600;
export const ETH_P_802_3 = 1;
export const ETH_P_AX25 = 2;
export const ETH_P_ALL = 3;
export const ETH_P_802_2 = 4;
export const ETH_P_SNAP = 5;
export const ETH_P_DDCMP = 6;
export const ETH_P_WAN_PPP = 7;
export const ETH_P_PPP_MP = 8;
export const ETH_P_LOCALTALK = 9;
export const ETH_P_CAN = 0xc;
export const ETH_P_CANFD = 0xd;
export const ETH_P_CANXL = 0xe;
export const ETH_P_PPPTALK = 0x10;
export const ETH_P_TR_802_2 = 0x11;
export const ETH_P_MOBITEX = 0x15;
export const ETH_P_CONTROL = 0x16;
export const ETH_P_IRDA = 0x17;
export const ETH_P_ECONET = 0x18;
export const ETH_P_HDLC = 0x19;
export const ETH_P_ARCNET = 0x1a;
export const ETH_P_DSA = 0x1b;
export const ETH_P_TRAILER = 0x1c;
export const ETH_P_PHONET = 0xf5;
export const ETH_P_IEEE802154 = 0xf6;
export const ETH_P_CAIF = 0xf7;
export const ETH_P_XDSA = 0xf8;
export const ETH_P_MAP = 0xf9;
export const ETH_P_MCTP = 0xfa;
export const ETH_P_GRE_OSI = 0xfe;

export const ethhdr = layout('ethhdr', 14, {
  h_dest: at(0, bytes(6)),
  h_source: at(6, bytes(6)),
  h_proto: at(12, be16),
});
export type ethhdr = StructValue<typeof ethhdr>;

// linux/if_packet.h

// enum tpacket_versions
export const TPACKET_V1 = 0;
export const TPACKET_V2 = 1;
export const TPACKET_V3 = 2;

// macros
export const PACKET_HOST = 0;
export const PACKET_BROADCAST = 1;
export const PACKET_MULTICAST = 2;
export const PACKET_OTHERHOST = 3;
export const PACKET_OUTGOING = 4;
export const PACKET_LOOPBACK = 5;
export const PACKET_USER = 6;
export const PACKET_KERNEL = 7;
export const PACKET_FASTROUTE = 6;
export const PACKET_ADD_MEMBERSHIP = 1;
export const PACKET_DROP_MEMBERSHIP = 2;
export const PACKET_RECV_OUTPUT = 3;
export const PACKET_RX_RING = 5;
export const PACKET_STATISTICS = 6;
export const PACKET_COPY_THRESH = 7;
export const PACKET_AUXDATA = 8;
export const PACKET_ORIGDEV = 9;
export const PACKET_VERSION = 10;
export const PACKET_HDRLEN = 11;
export const PACKET_RESERVE = 12;
export const PACKET_TX_RING = 13;
export const PACKET_LOSS = 14;
export const PACKET_VNET_HDR = 15;
export const PACKET_TX_TIMESTAMP = 16;
export const PACKET_TIMESTAMP = 17;
export const PACKET_FANOUT = 18;
export const PACKET_TX_HAS_OFF = 19;
export const PACKET_QDISC_BYPASS = 20;
export const PACKET_ROLLOVER_STATS = 21;
export const PACKET_FANOUT_DATA = 22;
export const PACKET_IGNORE_OUTGOING = 23;
export const PACKET_VNET_HDR_SZ = 24;
export const PACKET_FANOUT_HASH = 0;
export const PACKET_FANOUT_LB = 1;
export const PACKET_FANOUT_CPU = 2;
export const PACKET_FANOUT_ROLLOVER = 3;
export const PACKET_FANOUT_RND = 4;
export const PACKET_FANOUT_QM = 5;
export const PACKET_FANOUT_CBPF = 6;
export const PACKET_FANOUT_EBPF = 7;
export const PACKET_FANOUT_FLAG_ROLLOVER = 0x1000;
export const PACKET_FANOUT_FLAG_UNIQUEID = 0x2000;
export const PACKET_FANOUT_FLAG_IGNORE_OUTGOING = 0x4000;
export const PACKET_FANOUT_FLAG_DEFRAG = 0x8000;
export const TP_STATUS_KERNEL = 0;
export const TP_STATUS_USER = 1;
export const TP_STATUS_COPY = 2;
export const TP_STATUS_LOSING = 4;
export const TP_STATUS_CSUMNOTREADY = 8;
export const TP_STATUS_VLAN_VALID = 0x10;
export const TP_STATUS_BLK_TMO = 0x20;
export const TP_STATUS_VLAN_TPID_VALID = 0x40;
export const TP_STATUS_CSUM_VALID = 0x80;
export const TP_STATUS_GSO_TCP = 0x100;
export const TP_STATUS_AVAILABLE = 0;
export const TP_STATUS_SEND_REQUEST = 1;
export const TP_STATUS_SENDING = 2;
export const TP_STATUS_WRONG_FORMAT = 4;
export const TP_STATUS_TS_SOFTWARE = 0x20000000;
export const TP_STATUS_TS_SYS_HARDWARE = 0x40000000;
export const TP_STATUS_TS_RAW_HARDWARE = 0x80000000;
export const TP_FT_REQ_FILL_RXHASH = 1;
export const TPACKET_ALIGNMENT = 16;
export const TPACKET_HDRLEN = 52;
export const TPACKET2_HDRLEN = 52;
export const TPACKET3_HDRLEN = 68;
export const PACKET_MR_MULTICAST = 0;
export const PACKET_MR_PROMISC = 1;
export const PACKET_MR_ALLMULTI = 2;
export const PACKET_MR_UNICAST = 3;

export const sockaddr_ll = layout('sockaddr_ll', 20, {
  sll_family: at(0, u16),
  sll_protocol: at(2, be16),
  sll_ifindex: at(4, i32),
  sll_hatype: at(8, u16),
  sll_pkttype: at(10, u8),
  sll_halen: at(11, u8),
  sll_addr: at(12, bytes(8)),
});
export type sockaddr_ll = StructValue<typeof sockaddr_ll>;

export const packet_mreq = layout('packet_mreq', 16, {
  mr_ifindex: at(0, i32),
  mr_type: at(4, u16),
  mr_alen: at(6, u16),
  mr_address: at(8, bytes(8)),
});
export type packet_mreq = StructValue<typeof packet_mreq>;

export const tpacket_stats = layout('tpacket_stats', 8, {
  tp_packets: at(0, u32),
  tp_drops: at(4, u32),
});
export type tpacket_stats = StructValue<typeof tpacket_stats>;

export const tpacket_auxdata = layout('tpacket_auxdata', 20, {
  tp_status: at(0, u32),
  tp_len: at(4, u32),
  tp_snaplen: at(8, u32),
  tp_mac: at(12, u16),
  tp_net: at(14, u16),
  tp_vlan_tci: at(16, u16),
  tp_vlan_tpid: at(18, u16),
});
export type tpacket_auxdata = StructValue<typeof tpacket_auxdata>;

// linux/ethtool.h

// enum ethtool_stringset
export const ETH_SS_TEST = 0;
export const ETH_SS_STATS = 1;
export const ETH_SS_PRIV_FLAGS = 2;
export const ETH_SS_NTUPLE_FILTERS = 3;
export const ETH_SS_FEATURES = 4;
export const ETH_SS_RSS_HASH_FUNCS = 5;
export const ETH_SS_TUNABLES = 6;
export const ETH_SS_PHY_STATS = 7;
export const ETH_SS_PHY_TUNABLES = 8;
export const ETH_SS_LINK_MODES = 9;
export const ETH_SS_MSG_CLASSES = 10;
export const ETH_SS_WOL_MODES = 11;
export const ETH_SS_SOF_TIMESTAMPING = 12;
export const ETH_SS_TS_TX_TYPES = 13;
export const ETH_SS_TS_RX_FILTERS = 14;
export const ETH_SS_UDP_TUNNEL_TYPES = 15;
export const ETH_SS_STATS_STD = 16;
export const ETH_SS_STATS_ETH_PHY = 17;
export const ETH_SS_STATS_ETH_MAC = 18;
export const ETH_SS_STATS_ETH_CTRL = 19;
export const ETH_SS_STATS_RMON = 20;
export const ETH_SS_STATS_PHY = 21;
export const ETH_SS_TS_FLAGS = 22;
export const ETH_SS_COUNT = 23;

// macros
export const ETHTOOL_FWVERS_LEN = 32;
export const ETHTOOL_BUSINFO_LEN = 32;
export const ETHTOOL_EROMVERS_LEN = 32;
export const ETH_GSTRING_LEN = 32;
export const ETHTOOL_GSET = 1;
export const ETHTOOL_SSET = 2;
export const ETHTOOL_GDRVINFO = 3;
export const ETHTOOL_GREGS = 4;
export const ETHTOOL_GWOL = 5;
export const ETHTOOL_SWOL = 6;
export const ETHTOOL_GMSGLVL = 7;
export const ETHTOOL_SMSGLVL = 8;
export const ETHTOOL_GLINK = 0xa;
export const ETHTOOL_GEEPROM = 0xb;
export const ETHTOOL_SEEPROM = 0xc;
export const ETHTOOL_GCOALESCE = 0xe;
export const ETHTOOL_SCOALESCE = 0xf;
export const ETHTOOL_GRINGPARAM = 0x10;
export const ETHTOOL_SRINGPARAM = 0x11;
export const ETHTOOL_GPAUSEPARAM = 0x12;
export const ETHTOOL_SPAUSEPARAM = 0x13;
export const ETHTOOL_GRXCSUM = 0x14;
export const ETHTOOL_SRXCSUM = 0x15;
export const ETHTOOL_GTXCSUM = 0x16;
export const ETHTOOL_STXCSUM = 0x17;
export const ETHTOOL_GSG = 0x18;
export const ETHTOOL_SSG = 0x19;
export const ETHTOOL_GSTRINGS = 0x1b;
export const ETHTOOL_GSTATS = 0x1d;
export const ETHTOOL_GTSO = 0x1e;
export const ETHTOOL_STSO = 0x1f;
export const ETHTOOL_GPERMADDR = 0x20;
export const ETHTOOL_GUFO = 0x21;
export const ETHTOOL_SUFO = 0x22;
export const ETHTOOL_GGSO = 0x23;
export const ETHTOOL_SGSO = 0x24;
export const ETHTOOL_GFLAGS = 0x25;
export const ETHTOOL_SFLAGS = 0x26;
export const ETHTOOL_GPFLAGS = 0x27;
export const ETHTOOL_SPFLAGS = 0x28;
export const ETHTOOL_GRXFH = 0x29;
export const ETHTOOL_SRXFH = 0x2a;
export const ETHTOOL_GGRO = 0x2b;
export const ETHTOOL_SGRO = 0x2c;
export const ETHTOOL_GRXRINGS = 0x2d;
export const ETHTOOL_GRXCLSRLCNT = 0x2e;
export const ETHTOOL_GRXCLSRULE = 0x2f;
export const ETHTOOL_GRXCLSRLALL = 0x30;
export const ETHTOOL_SRXCLSRLDEL = 0x31;
export const ETHTOOL_SRXCLSRLINS = 0x32;
export const ETHTOOL_SRXNTUPLE = 0x35;
export const ETHTOOL_GRXNTUPLE = 0x36;
export const ETHTOOL_GRXFHINDIR = 0x38;
export const ETHTOOL_SRXFHINDIR = 0x39;
export const ETHTOOL_GFEATURES = 0x3a;
export const ETHTOOL_SFEATURES = 0x3b;
export const ETHTOOL_GCHANNELS = 0x3c;
export const ETHTOOL_SCHANNELS = 0x3d;
export const ETHTOOL_GMODULEINFO = 0x42;
export const ETHTOOL_GMODULEEEPROM = 0x43;
export const ETHTOOL_GEEE = 0x44;
export const ETHTOOL_SEEE = 0x45;
export const ETHTOOL_GRSSH = 0x46;
export const ETHTOOL_SRSSH = 0x47;
export const ETHTOOL_GTUNABLE = 0x48;
export const ETHTOOL_STUNABLE = 0x49;
export const ETHTOOL_GPHYSTATS = 0x4a;
export const ETHTOOL_GLINKSETTINGS = 0x4c;
export const ETHTOOL_SLINKSETTINGS = 0x4d;
export const ETHTOOL_GFECPARAM = 0x50;
export const ETHTOOL_SFECPARAM = 0x51;

export const ethtool_drvinfo = layout('ethtool_drvinfo', 196, {
  cmd: at(0, u32),
  driver: at(4, chars(32)),
  version: at(36, chars(32)),
  fw_version: at(68, chars(32)),
  bus_info: at(100, chars(32)),
  erom_version: at(132, chars(32)),
  reserved2: at(164, chars(12)),
  n_priv_flags: at(176, u32),
  n_stats: at(180, u32),
  testinfo_len: at(184, u32),
  eedump_len: at(188, u32),
  regdump_len: at(192, u32),
});
export type ethtool_drvinfo = StructValue<typeof ethtool_drvinfo>;

export const ethtool_value = layout('ethtool_value', 8, {
  cmd: at(0, u32),
  data: at(4, u32),
});
export type ethtool_value = StructValue<typeof ethtool_value>;

export const ethtool_gstrings = layout('ethtool_gstrings', 12, {
  cmd: at(0, u32),
  string_set: at(4, u32),
  len: at(8, u32),
});
export type ethtool_gstrings = StructValue<typeof ethtool_gstrings>;

export const ethtool_sset_info = layout('ethtool_sset_info', 16, {
  cmd: at(0, u32),
  reserved: at(4, u32),
  sset_mask: at(8, u64),
});
export type ethtool_sset_info = StructValue<typeof ethtool_sset_info>;

export const ethtool_stats = layout('ethtool_stats', 8, {
  cmd: at(0, u32),
  n_stats: at(4, u32),
});
export type ethtool_stats = StructValue<typeof ethtool_stats>;

export const ethtool_channels = layout('ethtool_channels', 36, {
  cmd: at(0, u32),
  max_rx: at(4, u32),
  max_tx: at(8, u32),
  max_other: at(12, u32),
  max_combined: at(16, u32),
  rx_count: at(20, u32),
  tx_count: at(24, u32),
  other_count: at(28, u32),
  combined_count: at(32, u32),
});
export type ethtool_channels = StructValue<typeof ethtool_channels>;

export const ethtool_ringparam = layout('ethtool_ringparam', 36, {
  cmd: at(0, u32),
  rx_max_pending: at(4, u32),
  rx_mini_max_pending: at(8, u32),
  rx_jumbo_max_pending: at(12, u32),
  tx_max_pending: at(16, u32),
  rx_pending: at(20, u32),
  rx_mini_pending: at(24, u32),
  rx_jumbo_pending: at(28, u32),
  tx_pending: at(32, u32),
});
export type ethtool_ringparam = StructValue<typeof ethtool_ringparam>;

export const ethtool_gfeatures = layout('ethtool_gfeatures', 8, {
  cmd: at(0, u32),
  size: at(4, u32),
});
export type ethtool_gfeatures = StructValue<typeof ethtool_gfeatures>;

export const ethtool_get_features_block = layout('ethtool_get_features_block', 16, {
  available: at(0, u32),
  requested: at(4, u32),
  active: at(8, u32),
  never_changed: at(12, u32),
});
export type ethtool_get_features_block = StructValue<typeof ethtool_get_features_block>;

export const ethtool_perm_addr = layout('ethtool_perm_addr', 8, {
  cmd: at(0, u32),
  size: at(4, u32),
});
export type ethtool_perm_addr = StructValue<typeof ethtool_perm_addr>;
