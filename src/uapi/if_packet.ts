// generated from Linux 7.2.13 by scripts/generate-uapi.ts; do not edit

import { at, be16, bytes, i32, layout, u16, u32, u8 } from '../binary/index.ts';
import type { StructValue } from '../binary/index.ts';

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

export const ethhdr = layout('ethhdr', 14, {
  h_dest: at(0, bytes(6)),
  h_source: at(6, bytes(6)),
  h_proto: at(12, be16),
});
export type ethhdr = StructValue<typeof ethhdr>;

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
