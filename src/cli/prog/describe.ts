import type { BtfValue } from '../../btf/index.ts';
import type { DescriptorHolder, OffloadDevice, ProgramFacts } from '../../inspect/index.ts';
import { programTypeName } from '../../programs/index.ts';
import type { Json } from '../output/error-report.ts';
import { localTime } from '../output/local-time.ts';
import { jsonText } from '../output/json-text.ts';
import { plainJson } from '../output/plain-json.ts';

export interface ShownProgram {
  readonly facts: ProgramFacts;
  readonly pinned?: readonly string[] | undefined;
  readonly holders?: readonly DescriptorHolder[] | undefined;
  readonly metadata: ReadonlyMap<string, BtfValue>;
}

/** As bpftool, in its order. */
export function programDocument({ facts, pinned, holders, metadata }: ShownProgram): Json {
  return {
    ...headerDocument(facts),
    ...(facts.device && { dev: deviceDocument(facts.device) }),
    ...(facts.loadedAt !== undefined && { loaded_at: facts.loadedAt, uid: facts.userId }),
    orphaned: facts.orphaned,
    bytes_xlated: facts.translatedSize,
    ...(facts.jitedSize > 0 ? { jited: true, bytes_jited: facts.jitedSize } : { jited: false }),
    ...(facts.lockedMemory !== undefined && { bytes_memlock: facts.lockedMemory }),
    ...(facts.mapIds.length > 0 && { map_ids: [...facts.mapIds] }),
    ...(facts.btfId !== 0 && { btf_id: facts.btfId }),
    ...(pinned && { pinned: [...pinned] }),
    ...(holders && { pids: holders.map(({ pid, command }) => ({ pid, comm: command })) }),
    ...(metadata.size > 0 && { metadata: metadataDocument(metadata) }),
  };
}

/** What bpftool begins every mention of a program with. */
export function headerDocument(facts: ProgramFacts): Record<string, Json> {
  return {
    id: facts.id,
    type: typeDocument(facts.type),
    ...(facts.name !== '' && { name: facts.name }),
    tag: facts.tag,
    gpl_compatible: facts.gplCompatible,
    ...(facts.runTime > 0n && { run_time_ns: facts.runTime, run_cnt: facts.runCount }),
    ...(facts.recursionMisses > 0n && { recursion_misses: facts.recursionMisses }),
  };
}

/** The name of a program type, or the number of one that has none here. */
export function typeDocument(type: number): string | number {
  const name = programTypeName(type);
  return name === `type_${type}` ? type : name;
}

function deviceDocument({ ifindex, namespaceDevice, namespaceInode }: OffloadDevice): Json {
  return { ifindex, ns_dev: namespaceDevice, ns_inode: namespaceInode };
}

export function metadataDocument(metadata: ReadonlyMap<string, BtfValue>): Json {
  return Object.fromEntries([...metadata].map(([name, value]) => [name, plainJson(value)]));
}

export function programText(shown: ShownProgram): string {
  const { facts, pinned = [], holders = [], metadata } = shown;
  const lines = [programHeading(facts)];
  if (facts.loadedAt !== undefined)
    lines.push(`\tloaded_at ${localTime(facts.loadedAt)}  uid ${facts.userId}`);
  lines.push(`\t${sizesText(facts)}`);
  lines.push(...pinned.map((path) => `\tpinned ${path}`));
  if (facts.btfId !== 0) lines.push(`\tbtf_id ${facts.btfId}`);
  if (holders.length > 0)
    lines.push(`\tpids ${holders.map(({ pid, command }) => `${command}(${pid})`).join(', ')}`);
  lines.push(...metadataText(metadata));
  return lines.join('\n');
}

export function programHeading(facts: ProgramFacts): string {
  const { id, type, name, tag, device, gplCompatible, runTime, runCount, recursionMisses } = facts;
  const named = name === '' ? '' : `name ${name}  `;
  const offloaded = device === undefined ? '' : `  offloaded_to ifindex ${device.ifindex}`;
  const ran = runTime === 0n ? '' : ` run_time_ns ${runTime} run_cnt ${runCount}`;
  const missed = recursionMisses === 0n ? '' : ` recursion_misses ${recursionMisses}`;
  const gpl = gplCompatible ? '  gpl' : '';
  return `${id}: ${programTypeName(type)}  ${named}tag ${tag}${offloaded}${gpl}${ran}${missed}`;
}

function sizesText({ translatedSize, jitedSize, lockedMemory, orphaned, mapIds }: ProgramFacts): string {
  return [
    `xlated ${translatedSize}B`,
    jitedSize > 0 ? `jited ${jitedSize}B` : 'not jited',
    ...(lockedMemory === undefined ? [] : [`memlock ${lockedMemory}B`]),
    ...(orphaned ? ['orphaned'] : []),
    ...(mapIds.length === 0 ? [] : [`map_ids ${mapIds.join(',')}`]),
  ].join('  ');
}

export function metadataText(metadata: ReadonlyMap<string, BtfValue>): string[] {
  if (metadata.size === 0) return [];
  const document = metadataDocument(metadata) as Record<string, Json>;
  const lines = Object.entries(document).map(([name, value]) => `\t\t${name} = ${jsonText(value)}`);
  return ['\tmetadata:', ...lines];
}
