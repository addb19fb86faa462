/** What is taken of one header of the kernel. */
export interface UapiHeader {
  /** `linux/bpf.h` */
  readonly path: string;
  /** Which constants, where not all: each costs every start of the process over a microsecond. */
  readonly constants?: RegExp;
  /** `bpf_func_id`: those whose names are looked up by their value, too. */
  readonly enums?: readonly string[];
  /** `bpf_insn`, `union bpf_iter_link_info`. */
  readonly structs?: readonly string[];
}

/** One generated file of src/uapi. They are few, since each costs every start of the process its resolution. */
export interface UapiModule {
  readonly name: string;
  readonly headers: readonly UapiHeader[];
}

const bpf: UapiModule = {
  name: 'bpf',
  headers: [
    {
      path: 'linux/bpf.h',
      enums: ['bpf_map_type', 'bpf_prog_type', 'bpf_func_id'],
      structs: [
        'bpf_insn',
        'bpf_prog_info',
        'bpf_map_info',
        'bpf_btf_info',
        'bpf_link_info',
        'bpf_token_info',
        'bpf_func_info',
        'bpf_line_info',
        'bpf_core_relo',
        'bpf_lpm_trie_key_u8',
        'bpf_cgroup_storage_key',
        'bpf_stack_build_id',
        'bpf_devmap_val',
        'bpf_cpumap_val',
        'bpf_fib_lookup',
        'union bpf_iter_link_info',
        '__sk_buff',
        'xdp_md',
        'bpf_sk_lookup',
      ],
    },
    { path: 'linux/bpf_common.h' },
    {
      path: 'linux/btf.h',
      structs: [
        'btf_header',
        'btf_type',
        'btf_enum',
        'btf_array',
        'btf_member',
        'btf_param',
        'btf_var',
        'btf_var_secinfo',
        'btf_decl_tag',
        'btf_enum64',
      ],
    },
    { path: 'linux/filter.h', structs: ['sock_filter', 'sock_fprog'] },
  ],
};

/** The attributes of a kind of link (bond, bridge, VXLAN, …) are left out, but for netkit and those of VXLAN that are sent. */
const IFLA_OF_ALL_LINKS =
  /^(IFLA_(?!(BR|BRPORT|MACVLAN|MACSEC|VLAN|VXLAN|GENEVE|BAREUDP|PPP|GTP|BOND|VF|PORT|IPOIB|HSR|RMNET|CAN|DSA|OVPN|AMT|IPVLAN|MCTP|STATS|OFFLOAD|TUN|VRF|XFRM|INET6?|EVENT|BRIDGE|DPLL)_)\w+|IFLA_VXLAN_(LEARNING|PORT|COLLECT_METADATA)|XDP_\w+|NETKIT_\w+)$/;

const network: UapiModule = {
  name: 'network',
  headers: [
    {
      path: 'linux/netlink.h',
      constants: /^(NETLINK|NLM|NLMSG|NLMSGERR|NLA)_/,
      structs: ['sockaddr_nl', 'nlmsghdr', 'nlmsgerr', 'nlattr'],
    },
    {
      path: 'linux/rtnetlink.h',
      constants: /^(RTM|RTNLGRP|RTA|TCA|TCM|RTEXT)_/,
      structs: ['rtattr', 'rtgenmsg', 'rtmsg', 'ifinfomsg', 'tcmsg', 'tcamsg'],
    },
    { path: 'linux/if_addr.h', structs: ['ifaddrmsg', 'ifa_cacheinfo'] },
    {
      path: 'linux/if_link.h',
      constants: IFLA_OF_ALL_LINKS,
      structs: ['rtnl_link_stats', 'rtnl_link_stats64'],
    },
    { path: 'linux/if.h', constants: /^(IFF_\w+|IFNAMSIZ|IFALIASZ|IF_OPER_\w+)$/ },
    { path: 'linux/veth.h' },
    { path: 'linux/pkt_sched.h', constants: /^(TC_(H|PRIO)|TCQ_F)_/, structs: ['tc_stats'] },
    {
      path: 'linux/pkt_cls.h',
      constants: /^(TC_ACT_|TCF_|TCA_(BPF|ACT|CLS|U32|MATCHALL|ID|BASIC|CSUM)_)/,
      structs: ['tcf_t'],
    },
    { path: 'linux/netfilter.h', constants: /^(NF_INET|NFPROTO)_/ },
    { path: 'linux/netfilter_ipv4.h', constants: /^NF_IP_PRI_/ },
    { path: 'linux/if_ether.h', structs: ['ethhdr'] },
    {
      path: 'linux/if_packet.h',
      structs: ['sockaddr_ll', 'packet_mreq', 'tpacket_stats', 'tpacket_auxdata'],
    },
    {
      path: 'linux/ethtool.h',
      constants: /^(ETHTOOL_[GS][A-Z]+|ETHTOOL_(BUSINFO|FWVERS|EROMVERS)_LEN|ETH_SS_\w+|ETH_GSTRING_LEN)$/,
      structs: [
        'ethtool_drvinfo',
        'ethtool_value',
        'ethtool_gstrings',
        'ethtool_sset_info',
        'ethtool_stats',
        'ethtool_channels',
        'ethtool_ringparam',
        'ethtool_gfeatures',
        'ethtool_get_features_block',
        'ethtool_perm_addr',
      ],
    },
  ],
};

const system: UapiModule = {
  name: 'system',
  headers: [
    { path: 'asm-generic/errno-base.h' },
    { path: 'asm-generic/errno.h' },
    { path: 'linux/capability.h', structs: ['__user_cap_header_struct', '__user_cap_data_struct'] },
    {
      path: 'asm-generic/socket.h',
      constants: /^SO_(ATTACH|DETACH)_(BPF|FILTER|REUSEPORT_EBPF|REUSEPORT_BPF)$/,
    },
    { path: 'linux/magic.h', constants: /^(BPF_FS|CGROUP2_SUPER|TRACEFS)_MAGIC$/ },
    {
      path: 'linux/perf_event.h',
      constants: /^PERF_(TYPE|COUNT_SW|COUNT_HW|SAMPLE(?!_BRANCH)|FORMAT|FLAG|EVENT_IOC|RECORD|ATTR)_/,
      structs: ['perf_event_attr', 'perf_event_mmap_page', 'perf_event_header', 'perf_event_query_bpf'],
    },
  ],
};

export const modules: readonly UapiModule[] = [bpf, network, system];

/** The name of each anonymous struct of `union bpf_attr`, by its first field. The named ones keep their names. */
export const bpfAttrStructs: Readonly<Record<string, string>> = {
  map_type: 'map_create',
  map_fd: 'map_elem',
  prog_type: 'prog_load',
  pathname: 'obj',
  target_fd: 'prog_attach',
  start_id: 'get_id',
  btf: 'btf_load',
};

/**
 * The name of the integer that holds a run of bitfields, by the name of the first. A run of one has that one's name.
 * `undefined` leaves out a run that another field of the struct covers.
 */
export const bitfieldUnits: Readonly<Record<string, string | undefined>> = {
  'bpf_insn.dst_reg': 'registers',
  'perf_event_attr.disabled': 'flags',
  'perf_event_attr.aux_start_paused': undefined,
  'perf_event_mmap_page.cap_bit0': undefined,
};
