import { inspectNetwork, type InterfaceHooks, type NetworkHooks } from '../../inspect/index.ts';
import { interfaceByName, RouteSocket, type XdpMode } from '../../netlink/index.ts';
import { systemKernel, type Kernel } from '../../sys/index.ts';
import { ExitCode } from '../exit-code.ts';
import type { Json } from '../output/error-report.ts';
import { jsonText } from '../output/json-text.ts';
import type { Output } from '../output/output.ts';
import { ProgramNames } from '../prog/names.ts';
import { parentText } from '../who/place-text.ts';
import { Words } from '../words.ts';

const MODES: readonly (readonly [XdpMode, string])[] = [
  ['generic', 'generic'],
  ['native', 'driver'],
  ['offload', 'offload'],
];
const BITS = Array.from({ length: 32 }, (_, bit) => 2 ** bit);

/** Shows what is attached to the interfaces of this namespace, or to one. */
export async function runNetShow(given: readonly string[], output: Output): Promise<number> {
  const words = new Words(given, 'net show');
  const name = words.empty ? undefined : takeDevice(words);
  words.end();
  const kernel = systemKernel();
  const hooks = inspectNetwork(kernel, { ifindex: name === undefined ? undefined : indexOf(name) });
  const sections = describe(kernel, hooks);
  output.result([sections], text(sections));
  await output.flush();
  return ExitCode.Done;
}

export function takeDevice(words: Words): string {
  words.takeOneOf(['dev'], 'dev and an interface');
  return words.take('the name of an interface');
}

function indexOf(name: string): number {
  using socket = RouteSocket.open();
  return interfaceByName(socket, name).index;
}

type Row = Record<string, Json>;
interface Sections extends Record<string, Json> {
  xdp: Row[];
  tc: Row[];
  flow_dissector: Row[];
  netfilter: Row[];
}

/** As bpftool, in its order. */
function describe(kernel: Kernel, { interfaces, flowDissector, netfilter }: NetworkHooks): Sections {
  const names = new ProgramNames(kernel);
  return {
    xdp: interfaces.flatMap(xdpRows),
    tc: interfaces.flatMap((hooks) => [...programRows(hooks, names), ...filterRows(hooks)]),
    flow_dissector: flowDissector.map((id) => ({ id })),
    netfilter: netfilter.map(({ protocolFamily, hook, priority, flags, programId }) => ({
      pf: protocolFamily,
      hook,
      prio: priority,
      flags,
      id: programId,
    })),
  };
}

function xdpRows({ device }: InterfaceHooks): Row[] {
  const place = { devname: device.name, ifindex: device.index };
  const attached = MODES.flatMap(([mode, name]) => {
    const id = device.xdp.programs[mode];
    return id === undefined ? [] : [{ mode: name, id }];
  });
  if (device.xdp.attached === 'multiple') return [{ ...place, multi_attachments: attached }];
  return attached.map((one) => ({ ...place, ...one }));
}

function programRows({ device, programs }: InterfaceHooks, names: ProgramNames): Row[] {
  return programs.map(({ hook, programId, linkId, programFlags, linkFlags }) => {
    const name = names.of(programId);
    return {
      devname: device.name,
      ifindex: device.index,
      kind: hook,
      ...(name !== '' && { name }),
      prog_id: programId,
      prog_flags: bitsOf(programFlags),
      link_id: linkId,
      link_flags: bitsOf(linkFlags),
    };
  });
}

function filterRows({ device, filters }: InterfaceHooks): Row[] {
  return filters.map(({ qdisc, direction, parent, programName, programId }) => ({
    devname: device.name,
    ifindex: device.index,
    kind: direction === undefined ? qdisc : `${qdisc}/${direction}`,
    ...(programName !== undefined && { name: programName }),
    id: programId,
    parent: parentText(parent),
  }));
}

function bitsOf(flags: number): number[] {
  return BITS.filter((bit) => (flags & bit) !== 0);
}

function text(sections: Sections): string {
  return Object.entries(sections)
    .map(([name, rows]) => [`${name}:`, ...(rows as Row[]).map(rowText), ''].join('\n'))
    .join('\n');
}

function rowText({ devname, ifindex, kind, mode, ...rest }: Row): string {
  const place = devname === undefined ? [] : [`${wordOf(devname)}(${wordOf(ifindex)})`];
  const words = [kind, mode].filter((word) => word !== undefined).map(wordOf);
  const fields = Object.entries(rest).flatMap(([name, value]) => {
    if (name === 'multi_attachments')
      return (value as Row[]).map((one) => `${wordOf(one['mode'])} id ${wordOf(one['id'])}`);
    if (Array.isArray(value)) return value.length === 0 ? [] : [`${name} ${value.map(wordOf).join(',')}`];
    if (name === 'link_id' && value === 0) return [];
    return [`${name} ${wordOf(value)}`];
  });
  return [...place, ...words, ...fields].join(' ');
}

function wordOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : jsonText(value ?? null);
}
