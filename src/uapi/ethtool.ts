// generated from Linux 7.2.13 by scripts/generate-uapi.ts; do not edit

import { at, chars, layout, u32, u64 } from '../binary/index.ts';
import type { StructValue } from '../binary/index.ts';

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
