import { bytes, chars, struct, u64 } from '../binary/index.ts';
import type { StructType } from '../binary/index.ts';
import { NotFoundError } from '../errors.ts';
import {
  Socket,
  errno,
  ioctl,
  socketConstants,
  syscallError,
  systemKernel,
  withNetworkNamespace,
} from '../sys/index.ts';
import type { NetworkNamespace } from '../sys/index.ts';
import {
  ETHTOOL_GCHANNELS,
  ETHTOOL_GDRVINFO,
  ETHTOOL_GFLAGS,
  ethtool_channels,
  ethtool_drvinfo,
  ethtool_value,
} from '../uapi/index.ts';
import { checkInterfaceName } from './change-interfaces.ts';

/** <linux/sockios.h> */
const SIOCETHTOOL = 0x8946;
/** <linux/ethtool.h>: large receive offload is on. */
const ETH_FLAG_LRO = 1 << 15;

const ifreq = struct('ifreq', { ifr_name: chars(16), ifr_data: u64, rest: bytes(16) });

export interface EthtoolOptions {
  /** @default the namespace that the thread is in */
  readonly netns?: NetworkNamespace | undefined;
}

/** Who drives an interface. */
export interface DeviceDriver {
  /** `veth`, `ixgbe`, … */
  readonly driver: string;
  readonly version: string;
  readonly firmware: string;
  /** Where the device sits: `0000:3b:00.0`. */
  readonly bus: string;
}

/** Undefined where the interface has no driver that tells (the loopback one). */
export function deviceDriver(name: string, options: EthtoolOptions = {}): DeviceDriver | undefined {
  const command = {
    request: ETHTOOL_GDRVINFO,
    descriptor: ethtool_drvinfo,
    doing: `ask for the driver of ${name}`,
  };
  const info = ethtool(name, { ...options, ...command });
  if (info === undefined) return undefined;
  return { driver: info.driver, version: info.version, firmware: info.fw_version, bus: info.bus_info };
}

/** Whether large receive offload is on, with which no driver takes XDP. Undefined where it does not know of it. */
export function largeReceiveOffload(name: string, options: EthtoolOptions = {}): boolean | undefined {
  const command = {
    request: ETHTOOL_GFLAGS,
    descriptor: ethtool_value,
    doing: `ask for the offloads of ${name}`,
  };
  const value = ethtool(name, { ...options, ...command });
  return value === undefined ? undefined : (value.data & ETH_FLAG_LRO) !== 0;
}

/** How many queues are in use, and how many there may be. */
export interface DeviceChannels {
  readonly receive: number;
  readonly transmit: number;
  readonly combined: number;
  readonly maximum: { readonly receive: number; readonly transmit: number; readonly combined: number };
}

/** Undefined where the driver does not tell. */
export function deviceChannels(name: string, options: EthtoolOptions = {}): DeviceChannels | undefined {
  const command = {
    request: ETHTOOL_GCHANNELS,
    descriptor: ethtool_channels,
    doing: `ask for the queues of ${name}`,
  };
  const info = ethtool(name, { ...options, ...command });
  if (info === undefined) return undefined;
  return {
    receive: info.rx_count,
    transmit: info.tx_count,
    combined: info.combined_count,
    maximum: { receive: info.max_rx, transmit: info.max_tx, combined: info.max_combined },
  };
}

interface EthtoolCommand<Answer extends { cmd: number }> extends EthtoolOptions {
  readonly request: number;
  readonly descriptor: StructType<Answer>;
  readonly doing: string;
}

function ethtool<Answer extends { cmd: number }>(
  name: string,
  command: EthtoolCommand<Answer>,
): Answer | undefined {
  checkInterfaceName(name);
  const { netns } = command;
  return netns === undefined
    ? ethtoolHere(name, command)
    : withNetworkNamespace(netns, () => ethtoolHere(name, command));
}

function ethtoolHere<Answer extends { cmd: number }>(
  name: string,
  command: EthtoolCommand<Answer>,
): Answer | undefined {
  const { request, descriptor, doing } = command;
  const answer = descriptor.encode({ cmd: request } as Partial<Answer>);
  const argument = ifreq.encode({ ifr_name: name, ifr_data: systemKernel().addressOf(answer) });
  const { AF_INET, SOCK_DGRAM } = socketConstants;
  const socket = Socket.open({
    domain: AF_INET,
    type: SOCK_DGRAM,
    protocol: 0,
    description: 'socket for ethtool',
  });
  const result = ioctl(socket.fd.value, SIOCETHTOOL, argument);
  socket.close();
  if (result === -errno.EOPNOTSUPP) return undefined;
  if (result === -errno.ENODEV) {
    throw new NotFoundError(
      'INTERFACE_NOT_FOUND',
      name,
      `Cannot ${doing}: there is no interface of that name`,
    );
  }
  if (result < 0) throw syscallError({ call: 'ioctl(SIOCETHTOOL)', errno: result, doing });
  return descriptor.decode(answer);
}
