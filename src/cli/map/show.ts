import {
  descriptorHolders,
  findPins,
  mapObjects,
  readMapDetails,
  type DescriptorHolder,
  type MapDetails,
} from '../../inspect/index.ts';
import { MapType, mapTypeName, readMapInfo, type MapInfo } from '../../maps/index.ts';
import { programTypeName } from '../../programs/index.ts';
import { systemKernel, type Kernel } from '../../sys/index.ts';
import { ExitCode } from '../exit-code.ts';
import type { Json } from '../output/error-report.ts';
import type { Output } from '../output/output.ts';
import { selectMaps } from './select.ts';
import { Words } from '../words.ts';

interface Shown {
  readonly info: MapInfo;
  readonly details: MapDetails;
}

export interface MapShowOptions {
  /** Say where they are pinned. */
  readonly bpffs?: boolean;
  /** Say who holds them. */
  readonly pids?: boolean;
}

/** What was asked for besides, by the id of a map. */
interface Asked {
  /** Undefined, too, without a single pin: bpftool says nothing of them then. */
  readonly pins: ReadonlyMap<number, readonly string[]> | undefined;
  readonly holders: ReadonlyMap<number, readonly DescriptorHolder[]> | undefined;
}

/** Lists every map of the kernel, or those that the words say, as `bpftool map show`. */
export async function showMaps(
  given: readonly string[],
  options: MapShowOptions,
  output: Output,
): Promise<number> {
  const kernel = systemKernel();
  const asked = lookAround(kernel, options);
  if (given.length === 0) {
    const maps = mapObjects(kernel, 'map', (fd) => ({
      info: readMapInfo(kernel, fd),
      details: readMapDetails(fd),
    }));
    output.result(
      maps.map((map) => mapDocument(map, asked)),
      maps.map((map) => mapText(map, asked)).join('\n'),
    );
  } else {
    const words = new Words(given, 'map show');
    const maps = selectMaps(kernel, words);
    try {
      words.end();
      const shown = maps.map((map) => ({ info: map.info(), details: readMapDetails(map.fd) }));
      const documents = shown.map((map) => mapDocument(map, asked));
      // As bpftool: one map is an object, several of one name are a list.
      const [only, ...others] = documents;
      output.result(
        only !== undefined && others.length === 0 ? only : documents,
        shown.map((map) => mapText(map, asked)).join('\n'),
      );
    } finally {
      for (const map of maps) map.close();
    }
  }
  await output.flush();
  return ExitCode.Done;
}

function lookAround(kernel: Kernel, { bpffs = false, pids = false }: MapShowOptions): Asked {
  const pins = bpffs ? findPins(kernel, 'map') : undefined;
  return {
    pins: pins && pins.size > 0 ? pins : undefined,
    holders: pids ? descriptorHolders('map') : undefined,
  };
}

function mapDocument({ info, details }: Shown, { pins, holders }: Asked): Json {
  const { memory, frozen, ownerCompiled } = details;
  const owner = ownerType(info, details);
  return {
    id: info.id,
    type: mapTypeName(info.type),
    ...(info.name !== '' && { name: info.name }),
    flags: info.flags,
    ...(info.ifindex !== 0 && { ifindex: info.ifindex }),
    bytes_key: info.keySize,
    bytes_value: info.valueSize,
    max_entries: info.maxEntries,
    ...(memory !== undefined && { bytes_memlock: memory }),
    ...(owner !== undefined && { owner_prog_type: owner }),
    ...(info.type === MapType.ProgramArray && ownerCompiled !== undefined && { owner_jited: ownerCompiled }),
    frozen: frozen === true ? 1 : 0,
    ...(info.btfId !== 0 && { btf_id: info.btfId }),
    ...(pins && { pinned: [...(pins.get(info.id) ?? [])] }),
    ...(holders && {
      pids: (holders.get(info.id) ?? []).map(({ pid, command }) => ({ pid, comm: command })),
    }),
  };
}

function mapText({ info, details }: Shown, { pins, holders }: Asked): string {
  const owner = ownerType(info, details);
  const lines = [
    `${info.id}: ${mapTypeName(info.type)}${info.name === '' ? '' : `  name ${info.name}`}  flags 0x${info.flags.toString(16)}`,
    `\tkey ${info.keySize}B  value ${info.valueSize}B  max_entries ${info.maxEntries}` +
      (details.memory === undefined ? '' : `  memlock ${details.memory}B`) +
      (details.frozen === true ? '  frozen' : ''),
  ];
  if (owner !== undefined)
    lines.push(`\towner_prog_type ${owner}${details.ownerCompiled === true ? '  owner jited' : ''}`);
  if (info.btfId !== 0) lines.push(`\tbtf_id ${info.btfId}`);
  lines.push(...(pins?.get(info.id) ?? []).map((path) => `\tpinned ${path}`));
  const processes = holders?.get(info.id) ?? [];
  if (processes.length > 0)
    lines.push(`\tpids ${processes.map(({ pid, command }) => `${command}(${pid})`).join(', ')}`);
  return lines.join('\n');
}

function ownerType({ type }: MapInfo, { ownerProgramType }: MapDetails): string | undefined {
  if (type !== MapType.ProgramArray || ownerProgramType === undefined) return undefined;
  return programTypeName(ownerProgramType);
}
