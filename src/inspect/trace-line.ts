/** A line of the trace pipe. */
export interface TraceLine {
  /** At most 15 characters; `<...>` where the kernel has forgotten it. */
  readonly task: string;
  readonly pid: number;
  readonly cpu: number;
  /** Seconds since boot, as the kernel writes them. */
  readonly time: string;
  readonly text: string;
}

/** `node-812 (812) [001] d..2. 5120.318234: bpf_trace_printk: text`: what is between CPU and time depends on the options. */
const pattern = /^\s*(.+)-(\d+)\s+(?:\(\s*[-\d]+\)\s+)?\[(\d+)\]\s+(?:\S+\s+)?(\d+\.\d+):\s(.*)$/s;
const PRINTER = /^bpf_trace_printk: /;

/** Undefined for a line of another form: `CPU:1 [LOST 12 EVENTS]`, or another format of the clock. */
export function parseTraceLine(line: string): TraceLine | undefined {
  const [, task, pid, cpu, time, text] = pattern.exec(line) ?? [];
  if (task === undefined || time === undefined || text === undefined) return undefined;
  return { task, pid: Number(pid), cpu: Number(cpu), time, text: text.replace(PRINTER, '') };
}
