import { openCgroup, queryHook } from '../../link/index.ts';
import { AttachError } from '../../errors.ts';
import { AttachType, type AttachTypeName, type BpfProgram } from '../../programs/index.ts';
import { bpfError, errno, systemKernel, tryBpf, type Fd, type Kernel } from '../../sys/index.ts';
import { BPF_F_ALLOW_MULTI, BPF_F_ALLOW_OVERRIDE, bpf_attr_prog_attach } from '../../uapi/index.ts';
import { ExitCode, UsageError } from '../exit-code.ts';
import type { Output } from '../output/output.ts';
import { withProgram } from '../prog/with-program.ts';
import { Words } from '../words.ts';

/** What bpftool takes for hooks beside their whole names. */
const SHORT: Readonly<Record<string, AttachTypeName>> = {
  ingress: 'cgroup_inet_ingress',
  egress: 'cgroup_inet_egress',
  sock_create: 'cgroup_inet_sock_create',
  sock_ops: 'cgroup_sock_ops',
  device: 'cgroup_device',
  bind4: 'cgroup_inet4_bind',
  bind6: 'cgroup_inet6_bind',
  connect4: 'cgroup_inet4_connect',
  connect6: 'cgroup_inet6_connect',
  connect_unix: 'cgroup_unix_connect',
  post_bind4: 'cgroup_inet4_post_bind',
  post_bind6: 'cgroup_inet6_post_bind',
  sendmsg4: 'cgroup_udp4_sendmsg',
  sendmsg6: 'cgroup_udp6_sendmsg',
  sendmsg_unix: 'cgroup_unix_sendmsg',
  recvmsg4: 'cgroup_udp4_recvmsg',
  recvmsg6: 'cgroup_udp6_recvmsg',
  recvmsg_unix: 'cgroup_unix_recvmsg',
  sysctl: 'cgroup_sysctl',
  getpeername4: 'cgroup_inet4_getpeername',
  getpeername6: 'cgroup_inet6_getpeername',
  getpeername_unix: 'cgroup_unix_getpeername',
  getsockname4: 'cgroup_inet4_getsockname',
  getsockname6: 'cgroup_inet6_getsockname',
  getsockname_unix: 'cgroup_unix_getsockname',
  getsockopt: 'cgroup_getsockopt',
  setsockopt: 'cgroup_setsockopt',
  sock_release: 'cgroup_inet_sock_release',
};

/** Attaches a program to a cgroup, or detaches it, without a link: it stays until it is detached. */
export async function runCgroupChange(
  given: readonly string[],
  { action }: { action: 'attach' | 'detach' },
  output: Output,
): Promise<number> {
  const words = new Words(given, `cgroup ${action}`);
  const path = words.take('a cgroup');
  const attachType = hookOf(words.take('the name of a hook'));
  const selector = words.takeSelector('a program');
  const { flags } = words.takeOptions({ flags: action === 'attach' ? ['multi', 'override'] : [] });
  const kernel = systemKernel();
  await withProgram(kernel, selector, (program) => {
    const { directory, fd } = openCgroup(kernel, path);
    try {
      const call = {
        command: action === 'attach' ? 'BPF_PROG_ATTACH' : 'BPF_PROG_DETACH',
        attribute: bpf_attr_prog_attach,
        fields: {
          target_fd: fd.value,
          attach_bpf_fd: program.fd.value,
          attach_type: attachType,
          attach_flags:
            (flags.has('multi') ? BPF_F_ALLOW_MULTI : 0) | (flags.has('override') ? BPF_F_ALLOW_OVERRIDE : 0),
        },
        doing: `${action} ${program.name} ${action === 'attach' ? 'to' : 'from'} cgroup ${directory}`,
        needed: ['CAP_NET_ADMIN'],
      } as const;
      const result = tryBpf(kernel, call);
      if (result < 0) throw refusal(kernel, { program, directory, fd, call, attachType, result });
    } finally {
      fd.close();
    }
  });
  output.result(null, '');
  await output.flush();
  return ExitCode.Done;
}

interface Refused {
  readonly program: BpfProgram;
  readonly directory: string;
  readonly fd: Fd;
  readonly call: {
    readonly command: 'BPF_PROG_ATTACH' | 'BPF_PROG_DETACH';
    readonly doing: string;
    readonly needed: readonly ['CAP_NET_ADMIN'];
  };
  readonly attachType: number;
  readonly result: number;
}

/** EINVAL is also the answer to a program that is there already (__cgroup_bpf_attach() of kernel/bpf/cgroup.c). */
function refusal(kernel: Kernel, { program, directory, fd, call, attachType, result }: Refused): Error {
  const { command, doing } = call;
  if (command === 'BPF_PROG_ATTACH' && result === -errno.EINVAL) {
    const place = { fd: fd.value };
    const answer = queryHook(kernel, { place, attachType, doing: `list the programs of ${directory}` });
    if (answer?.programs.some(({ programId }) => programId === program.id))
      return new AttachError('ALREADY_ATTACHED', directory, `Cannot ${doing}: it is attached there already`, {
        programId: program.id,
      });
  }
  if (command === 'BPF_PROG_DETACH' && result === -errno.ENOENT)
    return new AttachError('ATTACH_CHANGED', directory, `Cannot ${doing}: it is not attached there`);
  return bpfError(call, result);
}

function hookOf(name: string): number {
  const whole = SHORT[name] ?? name;
  const known = Object.entries(AttachType).find(([one]) => one === whole && one.startsWith('cgroup_'));
  if (known) return known[1];
  throw new UsageError(`cgroups have no hook ${name}: ${Object.keys(SHORT).join(', ')}`);
}
