import type { LinkPlace } from '../../inspect/index.ts';
import { jsonText } from '../output/json-text.ts';
import { attachmentDocument, interfaceName, sortedProbes, type ShownLink } from './describe.ts';

/** A link as bpftool shows it: a line that says what it is, and one or more that say where it is attached. */
export function linkText(link: ShownLink): string {
  const { info, pinned = [], holders = [] } = link;
  const subject = info.kind === 'struct_ops' ? `map ${info.mapId}` : `prog ${info.programId}`;
  const kind = info.kind === 'unknown' ? `type ${info.type}` : info.kind;
  const lines = [`${info.id}: ${kind}  ${subject}`, ...attachmentLines(link)];
  lines.push(...pinned.map((path) => `pinned ${path}`));
  if (holders.length > 0)
    lines.push(`pids ${holders.map(({ pid, command }) => `${command}(${pid})`).join(', ')}`);
  return lines.join('\n\t');
}

function attachmentLines(link: ShownLink): string[] {
  const { info, place, symbols } = link;
  switch (info.kind) {
    case 'xdp':
      return [`${interfaceText(place, info.ifindex)}${namespaceText(place)}`];
    case 'tcx':
    case 'netkit':
      return [`${interfaceText(place, info.ifindex)}  attach_type ${info.attachType}${namespaceText(place)}`];
    case 'kprobe_multi':
      return [
        `func_cnt ${info.count}`,
        ...sortedProbes(info).map(({ address, cookie }) => {
          const symbol = symbols.get(address);
          const module = symbol?.module === undefined ? '' : ` [${symbol.module}]`;
          return `0x${address.toString(16)} cookie ${cookie} ${symbol?.name ?? '?'}${module}`;
        }),
      ];
    case 'uprobe_multi':
      return [
        `path ${info.path}  func_cnt ${info.offsets.length}  pid ${info.pid}`,
        ...info.offsets.map(
          (offset, index) => `+0x${offset.toString(16)} cookie ${info.cookies[index] ?? 0n}`,
        ),
      ];
    case 'struct_ops':
    case 'unknown':
      return [];
    default: {
      const fields = Object.entries(attachmentDocument(link)).map(
        ([name, value]) => `${name} ${typeof value === 'string' ? value : jsonText(value)}`,
      );
      return fields.length === 0 ? [] : [fields.join('  ')];
    }
  }
}

function interfaceText(place: LinkPlace | undefined, ifindex: number): string {
  const name = interfaceName(place, ifindex);
  return `ifindex ${place?.interface === undefined ? name : `${name}(${ifindex})`}`;
}

function namespaceText(place: LinkPlace | undefined): string {
  const name = place?.netns.name;
  return name === undefined ? '' : `  netns ${name}`;
}
