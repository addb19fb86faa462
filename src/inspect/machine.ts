import { RouteSocket, interfaceByName, listInterfaces } from '../netlink/index.ts';
import type { NetworkInterface } from '../netlink/index.ts';
import { effectiveCapabilities, missingCapabilities, readRestrictions, systemKernel } from '../sys/index.ts';
import type { Kernel } from '../sys/index.ts';
import type { Check } from './check.ts';
import { checkCapabilities, neededCapabilities } from './machine-capabilities.ts';
import { checkFeatures, checkMemoryLock } from './machine-features.ts';
import type { FeatureFindings } from './machine-features.ts';
import { machineFiles } from './machine-files.ts';
import type { MachineFiles } from './machine-files.ts';
import { checkInterface, readInterface } from './machine-interface.ts';
import type { InterfaceFindings } from './machine-interface.ts';
import { checkKernel } from './machine-kernel.ts';
import { checkMounts } from './machine-mounts.ts';
import { checkSettings } from './machine-settings.ts';
import { XdpFeatureQuery } from './xdp-features.ts';

/** Of the loopback interface in every network namespace (include/net/flow.h). */
const LOOPBACK_IFINDEX = 1;

export interface MachineOptions {
  /** Names of interfaces to look at. @default all that are up, but the loopback one */
  readonly interfaces?: readonly string[] | undefined;
  /** @default the running one */
  readonly kernel?: Kernel | undefined;
  /** @default /proc and /sys */
  readonly files?: MachineFiles | undefined;
}

/** Whether the main job can run: load an object, attach it with XDP, stream a ring buffer. */
export interface MachineVerdict {
  readonly canRun: boolean;
  /** What stands in the way: `unsupported` where the kernel lacks something, `permission` where only that is missing. */
  readonly obstacle: 'unsupported' | 'permission' | undefined;
  /** One sentence for each obstacle; empty where it can run. */
  readonly reasons: readonly string[];
}

export interface MachineFindings {
  readonly verdict: MachineVerdict;
  readonly checks: readonly Check[];
  readonly interfaces: readonly InterfaceFindings[];
}

/**
 * Looks at what this machine can do, and changes nothing on it: features are tried on the kernel with small maps and
 * programs that are let go at once, and no interface is touched. Works without privileges, and then says what is
 * missing.
 *
 * Throws {@link NotFoundError} (`INTERFACE_NOT_FOUND`).
 */
export function inspectMachine(options: MachineOptions = {}): MachineFindings {
  const { interfaces = [], kernel = systemKernel(), files = machineFiles } = options;
  const inspected = inspectInterfaces(interfaces, kernel);
  const features = checkFeatures(kernel);
  const restrictions = readRestrictions();
  return {
    verdict: judge(features),
    checks: [
      ...checkKernel(files, restrictions),
      ...checkCapabilities(effectiveCapabilities(), restrictions),
      ...features.checks,
      checkMemoryLock(kernel, files),
      ...checkSettings(files),
      ...checkMounts(files),
    ],
    interfaces: inspected,
  };
}

function judge({ unsupported, refusal }: FeatureFindings): MachineVerdict {
  const reasons = unsupported.map(
    ({ name, minKernel }) => `This kernel has no ${name} (since Linux ${minKernel}).`,
  );
  const missing = missingCapabilities(neededCapabilities);
  reasons.push(...missing.map((name) => `${name} is missing.`));
  if (missing.length === 0 && refusal !== undefined) {
    reasons.push([`${refusal.message}.`, refusal.hint ?? ''].join(' ').trim());
  }
  if (reasons.length === 0) return { canRun: true, obstacle: undefined, reasons };
  return { canRun: false, obstacle: unsupported.length > 0 ? 'unsupported' : 'permission', reasons };
}

function inspectInterfaces(names: readonly string[], kernel: Kernel): InterfaceFindings[] {
  const socket = RouteSocket.open();
  let query: XdpFeatureQuery | undefined;
  try {
    const devices = chooseInterfaces(socket, names);
    query = XdpFeatureQuery.open();
    return devices.map((device) =>
      checkInterface(readInterface(device, query?.featuresOf(device.index)), kernel),
    );
  } finally {
    query?.close();
    socket.close();
  }
}

function chooseInterfaces(socket: RouteSocket, names: readonly string[]): NetworkInterface[] {
  if (names.length > 0) return [...new Set(names)].map((name) => interfaceByName(socket, name));
  return listInterfaces(socket).filter((device) => device.up && device.index !== LOOPBACK_IFINDEX);
}
