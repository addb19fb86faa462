import { AttachError, PermissionError, type TsXdpError } from '../../errors.ts';
import { attachXdp, XDP_MODES, type XdpAttachment, type XdpMode } from '../../link/index.ts';
import { interfaceByName, RouteSocket, setXdpProgram, type NetworkInterface } from '../../netlink/index.ts';
import type { BpfProgram } from '../../programs/index.ts';
import { bpfError, systemKernel, tryBpf } from '../../sys/index.ts';
import { BPF_TCX_EGRESS, BPF_TCX_INGRESS, bpf_attr_prog_attach } from '../../uapi/index.ts';
import { ExitCode, UsageError } from '../exit-code.ts';
import type { Output } from '../output/output.ts';
import { withProgram } from '../prog/with-program.ts';
import { Words } from '../words.ts';
import { takeDevice } from './show.ts';

const PLACES = ['xdp', 'xdpgeneric', 'xdpdrv', 'xdpoffload', 'tcx_ingress', 'tcx_egress'] as const;
type Place = (typeof PLACES)[number];

const MODES: Readonly<Partial<Record<Place, readonly XdpMode[]>>> = {
  // What the kernel chooses where nothing is said: the driver's where it has one.
  xdp: ['native', 'generic'],
  xdpgeneric: ['generic'],
  xdpdrv: ['native'],
  xdpoffload: ['offload'],
};

/** Attaches a program to an interface so that it stays until it is detached: by netlink, or for tcx without a link. */
export async function runNetAttach(given: readonly string[], output: Output): Promise<number> {
  const words = new Words(given, 'net attach');
  const place = words.takeOneOf(PLACES, 'where to attach');
  const selector = words.takeSelector('a program');
  const name = takeDevice(words);
  const overwrite = words.takeIf('overwrite');
  words.end();
  const modes = MODES[place];
  if (!modes && overwrite)
    throw new UsageError('net attach overwrites xdp alone: tcx runs all that are attached');
  await withProgram(systemKernel(), selector, (program) => {
    if (!modes) {
      changeTcx({ place, name, programFd: program.fd.value });
      return;
    }
    const attachment = attachHere(program, { name, modes, overwrite });
    if (modes.length > 1) output.note(`note: attached in ${attachment.mode} mode`);
    attachment.leave();
  });
  output.result(null, '');
  await output.flush();
  return ExitCode.Done;
}

function attachHere(
  program: BpfProgram,
  { name, modes, overwrite }: { name: string; modes: readonly XdpMode[]; overwrite: boolean },
): XdpAttachment {
  try {
    return attachXdp(program, { interface: name, modes, via: 'netlink', replace: overwrite });
  } catch (error) {
    if (!(error instanceof AttachError) || error.code !== 'ALREADY_ATTACHED') throw error;
    const { code, target, message, programId } = error;
    const hint = `take its place: the word overwrite at the end, or detach it: ts-xdp unload --iface ${name}`;
    throw new AttachError(code, target, message, { programId, hint, cause: error });
  }
}

/** Takes the program off that was attached there without a link. */
export async function runNetDetach(given: readonly string[], output: Output): Promise<number> {
  const words = new Words(given, 'net detach');
  const place = words.takeOneOf(PLACES, 'where to detach');
  const name = takeDevice(words);
  words.end();
  const modes = place === 'xdp' ? XDP_MODES : MODES[place];
  if (modes) detachModes(name, { modes, place });
  else changeTcx({ place, name, programFd: undefined });
  output.result(null, '');
  await output.flush();
  return ExitCode.Done;
}

function detachModes(name: string, { modes, place }: { modes: readonly XdpMode[]; place: Place }): void {
  using socket = RouteSocket.open();
  const device = interfaceByName(socket, name);
  const attached = modes.filter((mode) => device.xdp.programs[mode] !== undefined);
  if (attached.length === 0)
    throw new AttachError(
      'ATTACH_CHANGED',
      name,
      `Cannot detach from ${name} (${place}): no program is attached there`,
    );
  for (const mode of attached) setXdpProgram(socket, { ifindex: device.index, name, mode, programFd: -1 });
}

function changeTcx({
  place,
  name,
  programFd,
}: {
  place: Place;
  name: string;
  programFd: number | undefined;
}): void {
  using socket = RouteSocket.open();
  const device: NetworkInterface = interfaceByName(socket, name);
  const command = programFd === undefined ? 'BPF_PROG_DETACH' : 'BPF_PROG_ATTACH';
  const call = {
    command,
    attribute: bpf_attr_prog_attach,
    fields: {
      target_ifindex: device.index,
      attach_type: place === 'tcx_ingress' ? BPF_TCX_INGRESS : BPF_TCX_EGRESS,
      ...(programFd !== undefined && { attach_bpf_fd: programFd }),
    },
    doing: `${programFd === undefined ? 'detach from' : 'attach to'} ${name} (${place})`,
    needed: ['CAP_NET_ADMIN'],
  } as const;
  const result = tryBpf(systemKernel(), call);
  if (result < 0) throw refusal(bpfError(call, result), { name, doing: call.doing });
}

/** ENOENT of a detachment says that nothing is there. */
function refusal(error: TsXdpError, { name, doing }: { name: string; doing: string }): TsXdpError {
  if (error instanceof PermissionError || !('errnoName' in error) || error.errnoName !== 'ENOENT')
    return error;
  return new AttachError('ATTACH_CHANGED', name, `Cannot ${doing}: no program is attached there`);
}
