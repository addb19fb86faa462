// generated from Linux 7.2.13 by scripts/generate-uapi.ts; do not edit

import { at, bytes, i32, i64, layout, u16, u32, u64 } from '../binary/index.ts';
import type { StructValue } from '../binary/index.ts';

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
