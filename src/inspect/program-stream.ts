import { unsupportedFeature } from '../features/index.ts';
import { bpfError, errno, tryBpf, type Fd, type Kernel } from '../sys/index.ts';
import { BPF_STREAM_STDERR, BPF_STREAM_STDOUT, bpf_attr_prog_stream_read } from '../uapi/index.ts';

/** What a program prints, and what the kernel reports of it. */
export type ProgramStream = 'stdout' | 'stderr';

const streams = { stdout: BPF_STREAM_STDOUT, stderr: BPF_STREAM_STDERR } as const;
const BUFFER_SIZE = 64 * 1024;
const STREAMS = { name: 'streams of programs', minKernel: '6.17' };

/**
 * What is in a stream of a program now; it is then gone from there. Linux 6.17.
 *
 * @throws UnsupportedFeatureError, PermissionError, SyscallError
 */
export function readProgramStream(kernel: Kernel, fd: Fd, stream: ProgramStream): string {
  const parts: Buffer[] = [];
  for (;;) {
    const buffer = Buffer.alloc(BUFFER_SIZE);
    const doing = `read ${stream} of ${fd.description}`;
    const call = {
      command: 'BPF_PROG_STREAM_READ_BY_FD',
      attribute: bpf_attr_prog_stream_read,
      fields: {
        stream_buf: kernel.addressOf(buffer),
        stream_buf_len: buffer.length,
        stream_id: streams[stream],
        prog_fd: fd.value,
      },
      keep: [buffer],
      doing,
    } as const;
    const length = tryBpf(kernel, call);
    // EINVAL: no such command. ENOMEM: the command is there, and the kernel has no room for streams.
    if (length === -errno.EINVAL || length === -errno.ENOMEM) {
      throw unsupportedFeature(STREAMS, { doing });
    }
    if (length < 0) throw bpfError(call, length);
    if (length === 0) return Buffer.concat(parts).toString('utf8');
    parts.push(buffer.subarray(0, length));
  }
}
