import { mapObjects, readMapDetails, type MapDetails } from '../../inspect/index.ts';
import { MapType, mapTypeName, readMapInfo, type MapInfo } from '../../maps/index.ts';
import { programTypeName } from '../../programs/index.ts';
import { systemKernel } from '../../sys/index.ts';
import { ExitCode } from '../exit-code.ts';
import type { Json } from '../output/error-report.ts';
import type { Output } from '../output/output.ts';
import { selectMaps } from './select.ts';
import { Words } from '../words.ts';

interface Shown {
  readonly info: MapInfo;
  readonly details: MapDetails;
}

/** Lists every map of the kernel, or those that the words say, as `bpftool map show`. */
export async function showMaps(given: readonly string[], output: Output): Promise<number> {
  const kernel = systemKernel();
  if (given.length === 0) {
    const maps = mapObjects(kernel, 'map', (fd) => ({
      info: readMapInfo(kernel, fd),
      details: readMapDetails(fd),
    }));
    output.result(maps.map(mapDocument), maps.map(mapText).join('\n'));
  } else {
    const words = new Words(given, 'map show');
    const maps = selectMaps(kernel, words);
    try {
      words.end();
      const shown = maps.map((map) => ({ info: map.info(), details: readMapDetails(map.fd) }));
      const documents = shown.map(mapDocument);
      // As bpftool: one map is an object, several of one name are a list.
      const [only, ...others] = documents;
      output.result(
        only !== undefined && others.length === 0 ? only : documents,
        shown.map(mapText).join('\n'),
      );
    } finally {
      for (const map of maps) map.close();
    }
  }
  await output.flush();
  return ExitCode.Done;
}

function mapDocument({ info, details }: Shown): Json {
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
  };
}

function mapText({ info, details }: Shown): string {
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
  return lines.join('\n');
}

function ownerType({ type }: MapInfo, { ownerProgramType }: MapDetails): string | undefined {
  if (type !== MapType.ProgramArray || ownerProgramType === undefined) return undefined;
  return programTypeName(ownerProgramType);
}
