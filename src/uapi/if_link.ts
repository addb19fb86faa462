// generated from Linux 7.2.13 by scripts/generate-uapi.ts; do not edit

import { at, layout, u32, u64 } from '../binary/index.ts';
import type { StructValue } from '../binary/index.ts';

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

// enum
export const VETH_INFO_UNSPEC = 0;
export const VETH_INFO_PEER = 1;

// macros
export const VETH_INFO_MAX = 1;

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
