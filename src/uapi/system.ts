// generated from Linux 7.2.13 by scripts/generate-uapi.ts; do not edit

import { at, bytes, i32, i64, layout, u16, u32, u64 } from '../binary/index.ts';
import type { StructValue } from '../binary/index.ts';

// asm-generic/errno-base.h

// macros
export const EPERM = 1;
export const ENOENT = 2;
export const ESRCH = 3;
export const EINTR = 4;
export const EIO = 5;
export const ENXIO = 6;
export const E2BIG = 7;
export const ENOEXEC = 8;
export const EBADF = 9;
export const ECHILD = 10;
export const EAGAIN = 11;
export const ENOMEM = 12;
export const EACCES = 13;
export const EFAULT = 14;
export const ENOTBLK = 15;
export const EBUSY = 16;
export const EEXIST = 17;
export const EXDEV = 18;
export const ENODEV = 19;
export const ENOTDIR = 20;
export const EISDIR = 21;
export const EINVAL = 22;
export const ENFILE = 23;
export const EMFILE = 24;
export const ENOTTY = 25;
export const ETXTBSY = 26;
export const EFBIG = 27;
export const ENOSPC = 28;
export const ESPIPE = 29;
export const EROFS = 30;
export const EMLINK = 31;
export const EPIPE = 32;
export const EDOM = 33;
export const ERANGE = 34;

// asm-generic/errno.h

// macros
export const EDEADLK = 35;
export const ENAMETOOLONG = 36;
export const ENOLCK = 37;
export const ENOSYS = 38;
export const ENOTEMPTY = 39;
export const ELOOP = 40;
export const EWOULDBLOCK = 11;
export const ENOMSG = 42;
export const EIDRM = 43;
export const ECHRNG = 44;
export const EL2NSYNC = 45;
export const EL3HLT = 46;
export const EL3RST = 47;
export const ELNRNG = 48;
export const EUNATCH = 49;
export const ENOCSI = 50;
export const EL2HLT = 51;
export const EBADE = 52;
export const EBADR = 53;
export const EXFULL = 54;
export const ENOANO = 55;
export const EBADRQC = 56;
export const EBADSLT = 57;
export const EDEADLOCK = 35;
export const EBFONT = 59;
export const ENOSTR = 60;
export const ENODATA = 61;
export const ETIME = 62;
export const ENOSR = 63;
export const ENONET = 64;
export const ENOPKG = 65;
export const EREMOTE = 66;
export const ENOLINK = 67;
export const EADV = 68;
export const ESRMNT = 69;
export const ECOMM = 70;
export const EPROTO = 71;
export const EMULTIHOP = 72;
export const EDOTDOT = 73;
export const EBADMSG = 74;
export const EFSBADCRC = 74;
export const EOVERFLOW = 75;
export const ENOTUNIQ = 76;
export const EBADFD = 77;
export const EREMCHG = 78;
export const ELIBACC = 79;
export const ELIBBAD = 80;
export const ELIBSCN = 81;
export const ELIBMAX = 82;
export const ELIBEXEC = 83;
export const EILSEQ = 84;
export const ERESTART = 85;
export const ESTRPIPE = 86;
export const EUSERS = 87;
export const ENOTSOCK = 88;
export const EDESTADDRREQ = 89;
export const EMSGSIZE = 90;
export const EPROTOTYPE = 91;
export const ENOPROTOOPT = 92;
export const EPROTONOSUPPORT = 93;
export const ESOCKTNOSUPPORT = 94;
export const EOPNOTSUPP = 95;
export const EPFNOSUPPORT = 96;
export const EAFNOSUPPORT = 97;
export const EADDRINUSE = 98;
export const EADDRNOTAVAIL = 99;
export const ENETDOWN = 100;
export const ENETUNREACH = 101;
export const ENETRESET = 102;
export const ECONNABORTED = 103;
export const ECONNRESET = 104;
export const ENOBUFS = 105;
export const EISCONN = 106;
export const ENOTCONN = 107;
export const ESHUTDOWN = 108;
export const ETOOMANYREFS = 109;
export const ETIMEDOUT = 110;
export const ECONNREFUSED = 111;
export const EHOSTDOWN = 112;
export const EHOSTUNREACH = 113;
export const EALREADY = 114;
export const EINPROGRESS = 115;
export const ESTALE = 116;
export const EUCLEAN = 117;
export const EFSCORRUPTED = 117;
export const ENOTNAM = 118;
export const ENAVAIL = 119;
export const EISNAM = 120;
export const EREMOTEIO = 121;
export const EDQUOT = 122;
export const ENOMEDIUM = 123;
export const EMEDIUMTYPE = 124;
export const ECANCELED = 125;
export const ENOKEY = 126;
export const EKEYEXPIRED = 127;
export const EKEYREVOKED = 128;
export const EKEYREJECTED = 129;
export const EOWNERDEAD = 130;
export const ENOTRECOVERABLE = 131;
export const ERFKILL = 132;
export const EHWPOISON = 133;
export const EFTYPE = 134;

// linux/capability.h

// macros
export const _LINUX_CAPABILITY_VERSION_1 = 0x19980330;
export const _LINUX_CAPABILITY_U32S_1 = 1;
export const _LINUX_CAPABILITY_VERSION_2 = 0x20071026;
export const _LINUX_CAPABILITY_U32S_2 = 2;
export const _LINUX_CAPABILITY_VERSION_3 = 0x20080522;
export const _LINUX_CAPABILITY_U32S_3 = 2;
export const VFS_CAP_REVISION_MASK = 0xff000000;
export const VFS_CAP_REVISION_SHIFT = 24;
export const VFS_CAP_FLAGS_MASK = 16777215;
export const VFS_CAP_FLAGS_EFFECTIVE = 1;
export const VFS_CAP_REVISION_1 = 0x1000000;
export const VFS_CAP_U32_1 = 1;
export const XATTR_CAPS_SZ_1 = 12;
export const VFS_CAP_REVISION_2 = 0x2000000;
export const VFS_CAP_U32_2 = 2;
export const XATTR_CAPS_SZ_2 = 20;
export const VFS_CAP_REVISION_3 = 0x3000000;
export const VFS_CAP_U32_3 = 2;
export const XATTR_CAPS_SZ_3 = 24;
export const XATTR_CAPS_SZ = 24;
export const VFS_CAP_U32 = 2;
export const VFS_CAP_REVISION = 50331648;
export const _LINUX_CAPABILITY_VERSION = 429392688;
export const _LINUX_CAPABILITY_U32S = 1;
export const CAP_CHOWN = 0;
export const CAP_DAC_OVERRIDE = 1;
export const CAP_DAC_READ_SEARCH = 2;
export const CAP_FOWNER = 3;
export const CAP_FSETID = 4;
export const CAP_KILL = 5;
export const CAP_SETGID = 6;
export const CAP_SETUID = 7;
export const CAP_SETPCAP = 8;
export const CAP_LINUX_IMMUTABLE = 9;
export const CAP_NET_BIND_SERVICE = 10;
export const CAP_NET_BROADCAST = 11;
export const CAP_NET_ADMIN = 12;
export const CAP_NET_RAW = 13;
export const CAP_IPC_LOCK = 14;
export const CAP_IPC_OWNER = 15;
export const CAP_SYS_MODULE = 16;
export const CAP_SYS_RAWIO = 17;
export const CAP_SYS_CHROOT = 18;
export const CAP_SYS_PTRACE = 19;
export const CAP_SYS_PACCT = 20;
export const CAP_SYS_ADMIN = 21;
export const CAP_SYS_BOOT = 22;
export const CAP_SYS_NICE = 23;
export const CAP_SYS_RESOURCE = 24;
export const CAP_SYS_TIME = 25;
export const CAP_SYS_TTY_CONFIG = 26;
export const CAP_MKNOD = 27;
export const CAP_LEASE = 28;
export const CAP_AUDIT_WRITE = 29;
export const CAP_AUDIT_CONTROL = 30;
export const CAP_SETFCAP = 31;
export const CAP_MAC_OVERRIDE = 32;
export const CAP_MAC_ADMIN = 33;
export const CAP_SYSLOG = 34;
export const CAP_WAKE_ALARM = 35;
export const CAP_BLOCK_SUSPEND = 36;
export const CAP_AUDIT_READ = 37;
export const CAP_PERFMON = 38;
export const CAP_BPF = 39;
export const CAP_CHECKPOINT_RESTORE = 40;
export const CAP_LAST_CAP = 40;

export const __user_cap_header_struct = layout('__user_cap_header_struct', 8, {
  version: at(0, u32),
  pid: at(4, i32),
});
export type __user_cap_header_struct = StructValue<typeof __user_cap_header_struct>;

export const __user_cap_data_struct = layout('__user_cap_data_struct', 12, {
  effective: at(0, u32),
  permitted: at(4, u32),
  inheritable: at(8, u32),
});
export type __user_cap_data_struct = StructValue<typeof __user_cap_data_struct>;

// asm-generic/socket.h

// macros
export const SO_ATTACH_FILTER = 26;
export const SO_DETACH_FILTER = 27;
export const SO_ATTACH_BPF = 50;
export const SO_DETACH_BPF = 27;
export const SO_ATTACH_REUSEPORT_EBPF = 52;
export const SO_DETACH_REUSEPORT_BPF = 68;

// linux/magic.h

// macros
export const CGROUP2_SUPER_MAGIC = 0x63677270;
export const TRACEFS_MAGIC = 0x74726163;
export const BPF_FS_MAGIC = 0xcafe4a11;

// linux/perf_event.h

// enum perf_type_id
export const PERF_TYPE_HARDWARE = 0;
export const PERF_TYPE_SOFTWARE = 1;
export const PERF_TYPE_TRACEPOINT = 2;
export const PERF_TYPE_HW_CACHE = 3;
export const PERF_TYPE_RAW = 4;
export const PERF_TYPE_BREAKPOINT = 5;
export const PERF_TYPE_MAX = 6;

// enum perf_hw_id
export const PERF_COUNT_HW_CPU_CYCLES = 0;
export const PERF_COUNT_HW_INSTRUCTIONS = 1;
export const PERF_COUNT_HW_CACHE_REFERENCES = 2;
export const PERF_COUNT_HW_CACHE_MISSES = 3;
export const PERF_COUNT_HW_BRANCH_INSTRUCTIONS = 4;
export const PERF_COUNT_HW_BRANCH_MISSES = 5;
export const PERF_COUNT_HW_BUS_CYCLES = 6;
export const PERF_COUNT_HW_STALLED_CYCLES_FRONTEND = 7;
export const PERF_COUNT_HW_STALLED_CYCLES_BACKEND = 8;
export const PERF_COUNT_HW_REF_CPU_CYCLES = 9;
export const PERF_COUNT_HW_MAX = 10;

// enum perf_hw_cache_id
export const PERF_COUNT_HW_CACHE_L1D = 0;
export const PERF_COUNT_HW_CACHE_L1I = 1;
export const PERF_COUNT_HW_CACHE_LL = 2;
export const PERF_COUNT_HW_CACHE_DTLB = 3;
export const PERF_COUNT_HW_CACHE_ITLB = 4;
export const PERF_COUNT_HW_CACHE_BPU = 5;
export const PERF_COUNT_HW_CACHE_NODE = 6;
export const PERF_COUNT_HW_CACHE_MAX = 7;

// enum perf_hw_cache_op_id
export const PERF_COUNT_HW_CACHE_OP_READ = 0;
export const PERF_COUNT_HW_CACHE_OP_WRITE = 1;
export const PERF_COUNT_HW_CACHE_OP_PREFETCH = 2;
export const PERF_COUNT_HW_CACHE_OP_MAX = 3;

// enum perf_hw_cache_op_result_id
export const PERF_COUNT_HW_CACHE_RESULT_ACCESS = 0;
export const PERF_COUNT_HW_CACHE_RESULT_MISS = 1;
export const PERF_COUNT_HW_CACHE_RESULT_MAX = 2;

// enum perf_sw_ids
export const PERF_COUNT_SW_CPU_CLOCK = 0;
export const PERF_COUNT_SW_TASK_CLOCK = 1;
export const PERF_COUNT_SW_PAGE_FAULTS = 2;
export const PERF_COUNT_SW_CONTEXT_SWITCHES = 3;
export const PERF_COUNT_SW_CPU_MIGRATIONS = 4;
export const PERF_COUNT_SW_PAGE_FAULTS_MIN = 5;
export const PERF_COUNT_SW_PAGE_FAULTS_MAJ = 6;
export const PERF_COUNT_SW_ALIGNMENT_FAULTS = 7;
export const PERF_COUNT_SW_EMULATION_FAULTS = 8;
export const PERF_COUNT_SW_DUMMY = 9;
export const PERF_COUNT_SW_BPF_OUTPUT = 10;
export const PERF_COUNT_SW_CGROUP_SWITCHES = 11;
export const PERF_COUNT_SW_MAX = 12;

// enum perf_event_sample_format
export const PERF_SAMPLE_IP = 1;
export const PERF_SAMPLE_TID = 2;
export const PERF_SAMPLE_TIME = 4;
export const PERF_SAMPLE_ADDR = 8;
export const PERF_SAMPLE_READ = 0x10;
export const PERF_SAMPLE_CALLCHAIN = 0x20;
export const PERF_SAMPLE_ID = 0x40;
export const PERF_SAMPLE_CPU = 0x80;
export const PERF_SAMPLE_PERIOD = 0x100;
export const PERF_SAMPLE_STREAM_ID = 0x200;
export const PERF_SAMPLE_RAW = 0x400;
export const PERF_SAMPLE_REGS_USER = 0x1000;
export const PERF_SAMPLE_STACK_USER = 0x2000;
export const PERF_SAMPLE_WEIGHT = 0x4000;
export const PERF_SAMPLE_DATA_SRC = 0x8000;
export const PERF_SAMPLE_IDENTIFIER = 0x10000;
export const PERF_SAMPLE_TRANSACTION = 0x20000;
export const PERF_SAMPLE_REGS_INTR = 0x40000;
export const PERF_SAMPLE_PHYS_ADDR = 0x80000;
export const PERF_SAMPLE_AUX = 0x100000;
export const PERF_SAMPLE_CGROUP = 0x200000;
export const PERF_SAMPLE_DATA_PAGE_SIZE = 0x400000;
export const PERF_SAMPLE_CODE_PAGE_SIZE = 0x800000;
export const PERF_SAMPLE_WEIGHT_STRUCT = 0x1000000;
export const PERF_SAMPLE_MAX = 0x2000000;

// enum perf_sample_regs_abi
export const PERF_SAMPLE_REGS_ABI_NONE = 0;
export const PERF_SAMPLE_REGS_ABI_32 = 1;
export const PERF_SAMPLE_REGS_ABI_64 = 2;

// enum perf_event_read_format
export const PERF_FORMAT_TOTAL_TIME_ENABLED = 1;
export const PERF_FORMAT_TOTAL_TIME_RUNNING = 2;
export const PERF_FORMAT_ID = 4;
export const PERF_FORMAT_GROUP = 8;
export const PERF_FORMAT_LOST = 0x10;
export const PERF_FORMAT_MAX = 0x20;

// enum perf_event_type
export const PERF_RECORD_MMAP = 1;
export const PERF_RECORD_LOST = 2;
export const PERF_RECORD_COMM = 3;
export const PERF_RECORD_EXIT = 4;
export const PERF_RECORD_THROTTLE = 5;
export const PERF_RECORD_UNTHROTTLE = 6;
export const PERF_RECORD_FORK = 7;
export const PERF_RECORD_READ = 8;
export const PERF_RECORD_SAMPLE = 9;
export const PERF_RECORD_MMAP2 = 10;
export const PERF_RECORD_AUX = 11;
export const PERF_RECORD_ITRACE_START = 12;
export const PERF_RECORD_LOST_SAMPLES = 13;
export const PERF_RECORD_SWITCH = 14;
export const PERF_RECORD_SWITCH_CPU_WIDE = 15;
export const PERF_RECORD_NAMESPACES = 16;
export const PERF_RECORD_KSYMBOL = 17;
export const PERF_RECORD_BPF_EVENT = 18;
export const PERF_RECORD_CGROUP = 19;
export const PERF_RECORD_TEXT_POKE = 20;
export const PERF_RECORD_AUX_OUTPUT_HW_ID = 21;
export const PERF_RECORD_CALLCHAIN_DEFERRED = 22;
export const PERF_RECORD_MAX = 23;

// enum perf_record_ksymbol_type
export const PERF_RECORD_KSYMBOL_TYPE_UNKNOWN = 0;
export const PERF_RECORD_KSYMBOL_TYPE_BPF = 1;
export const PERF_RECORD_KSYMBOL_TYPE_OOL = 2;
export const PERF_RECORD_KSYMBOL_TYPE_MAX = 3;

// macros
export const PERF_SAMPLE_WEIGHT_TYPE = 16793600;
export const PERF_ATTR_SIZE_VER0 = 64;
export const PERF_ATTR_SIZE_VER1 = 72;
export const PERF_ATTR_SIZE_VER2 = 80;
export const PERF_ATTR_SIZE_VER3 = 96;
export const PERF_ATTR_SIZE_VER4 = 104;
export const PERF_ATTR_SIZE_VER5 = 112;
export const PERF_ATTR_SIZE_VER6 = 120;
export const PERF_ATTR_SIZE_VER7 = 128;
export const PERF_ATTR_SIZE_VER8 = 136;
export const PERF_ATTR_SIZE_VER9 = 144;
export const PERF_EVENT_IOC_ENABLE = 9216;
export const PERF_EVENT_IOC_DISABLE = 9217;
export const PERF_EVENT_IOC_REFRESH = 9218;
export const PERF_EVENT_IOC_RESET = 9219;
export const PERF_EVENT_IOC_PERIOD = 1074275332;
export const PERF_EVENT_IOC_SET_OUTPUT = 9221;
export const PERF_EVENT_IOC_SET_FILTER = 1074275334;
export const PERF_EVENT_IOC_ID = 2148017159;
export const PERF_EVENT_IOC_SET_BPF = 1074013192;
export const PERF_EVENT_IOC_PAUSE_OUTPUT = 1074013193;
export const PERF_EVENT_IOC_QUERY_BPF = 3221758986;
export const PERF_EVENT_IOC_MODIFY_ATTRIBUTES = 1074275339;
export const PERF_RECORD_MISC_CPUMODE_MASK = 7;
export const PERF_RECORD_MISC_CPUMODE_UNKNOWN = 0;
export const PERF_RECORD_MISC_KERNEL = 1;
export const PERF_RECORD_MISC_USER = 2;
export const PERF_RECORD_MISC_HYPERVISOR = 3;
export const PERF_RECORD_MISC_GUEST_KERNEL = 4;
export const PERF_RECORD_MISC_GUEST_USER = 5;
export const PERF_RECORD_MISC_PROC_MAP_PARSE_TIMEOUT = 0x1000;
export const PERF_RECORD_MISC_MMAP_DATA = 0x2000;
export const PERF_RECORD_MISC_COMM_EXEC = 0x2000;
export const PERF_RECORD_MISC_FORK_EXEC = 0x2000;
export const PERF_RECORD_MISC_SWITCH_OUT = 0x2000;
export const PERF_RECORD_MISC_EXACT_IP = 0x4000;
export const PERF_RECORD_MISC_SWITCH_OUT_PREEMPT = 0x4000;
export const PERF_RECORD_MISC_MMAP_BUILD_ID = 0x4000;
export const PERF_RECORD_MISC_EXT_RESERVED = 0x8000;
export const PERF_RECORD_KSYMBOL_FLAGS_UNREGISTER = 1;
export const PERF_FLAG_FD_NO_GROUP = 1;
export const PERF_FLAG_FD_OUTPUT = 2;
export const PERF_FLAG_PID_CGROUP = 4;
export const PERF_FLAG_FD_CLOEXEC = 8;

export const perf_event_attr = layout('perf_event_attr', 144, {
  type: at(0, u32),
  size: at(4, u32),
  config: at(8, u64),
  sample_period: at(16, u64),
  sample_freq: at(16, u64),
  sample_type: at(24, u64),
  read_format: at(32, u64),
  /** Bits: disabled 0, inherit 1, pinned 2, exclusive 3, exclude_user 4, exclude_kernel 5, exclude_hv 6, exclude_idle 7, mmap 8, comm 9, freq 10, inherit_stat 11, enable_on_exec 12, task 13, watermark 14, precise_ip 15-16, mmap_data 17, sample_id_all 18, exclude_host 19, exclude_guest 20, exclude_callchain_kernel 21, exclude_callchain_user 22, mmap2 23, comm_exec 24, use_clockid 25, context_switch 26, write_backward 27, namespaces 28, ksymbol 29, bpf_event 30, aux_output 31, cgroup 32, text_poke 33, build_id 34, inherit_thread 35, remove_on_exec 36, sigtrap 37, defer_callchain 38, defer_output 39, __reserved_1 40-63. */
  flags: at(40, u64),
  wakeup_events: at(48, u32),
  wakeup_watermark: at(48, u32),
  bp_type: at(52, u32),
  bp_addr: at(56, u64),
  kprobe_func: at(56, u64),
  uprobe_path: at(56, u64),
  config1: at(56, u64),
  bp_len: at(64, u64),
  kprobe_addr: at(64, u64),
  probe_offset: at(64, u64),
  config2: at(64, u64),
  branch_sample_type: at(72, u64),
  sample_regs_user: at(80, u64),
  sample_stack_user: at(88, u32),
  clockid: at(92, i32),
  sample_regs_intr: at(96, u64),
  aux_watermark: at(104, u32),
  sample_max_stack: at(108, u16),
  __reserved_2: at(110, u16),
  aux_sample_size: at(112, u32),
  aux_action: at(116, u32),
  sig_data: at(120, u64),
  config3: at(128, u64),
  config4: at(136, u64),
});
export type perf_event_attr = StructValue<typeof perf_event_attr>;

export const perf_event_mmap_page = layout('perf_event_mmap_page', 1088, {
  version: at(0, u32),
  compat_version: at(4, u32),
  lock: at(8, u32),
  index: at(12, u32),
  offset: at(16, i64),
  time_enabled: at(24, u64),
  time_running: at(32, u64),
  capabilities: at(40, u64),
  pmc_width: at(48, u16),
  time_shift: at(50, u16),
  time_mult: at(52, u32),
  time_offset: at(56, u64),
  time_zero: at(64, u64),
  size: at(72, u32),
  __reserved_1: at(76, u32),
  time_cycles: at(80, u64),
  time_mask: at(88, u64),
  __reserved: at(96, bytes(928)),
  data_head: at(1024, u64),
  data_tail: at(1032, u64),
  data_offset: at(1040, u64),
  data_size: at(1048, u64),
  aux_head: at(1056, u64),
  aux_tail: at(1064, u64),
  aux_offset: at(1072, u64),
  aux_size: at(1080, u64),
});
export type perf_event_mmap_page = StructValue<typeof perf_event_mmap_page>;

export const perf_event_header = layout('perf_event_header', 8, {
  type: at(0, u32),
  misc: at(4, u16),
  size: at(6, u16),
});
export type perf_event_header = StructValue<typeof perf_event_header>;

export const perf_event_query_bpf = layout('perf_event_query_bpf', 8, {
  ids_len: at(0, u32),
  prog_cnt: at(4, u32),
});
export type perf_event_query_bpf = StructValue<typeof perf_event_query_bpf>;
