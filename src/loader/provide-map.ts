import type { MapSpec, ObjectFile } from '../elf/index.ts';
import { BpfMap } from '../maps/index.ts';
import { openPin, type Kernel } from '../sys/index.ts';
import { checkCompatible } from './map-compatibility.ts';
import { adoptMap, pinPathOf, type SharedMaps } from './shared-maps.ts';

/** A map in the kernel that is opened by the load: by its pin, or by its id, which needs CAP_SYS_ADMIN. */
export type ExistingMapReference = { readonly pin: string } | { readonly id: number };

export interface ProvidedMap {
  readonly map: BpfMap;
  /** Closed with the collection. */
  readonly owned: boolean;
  /** It was there before, with contents of its own. */
  readonly reused: boolean;
}

export interface ProvideMapContext {
  readonly object: ObjectFile;
  readonly kernel: Kernel;
  readonly options: {
    readonly maps?: ReadonlyMap<string, BpfMap | ExistingMapReference>;
    readonly pinRoot?: string | false;
  };
  readonly shared: SharedMaps;
  readonly create: () => BpfMap;
}

/** The map of a spec: the given one, otherwise the pinned one, otherwise a new one. */
export function provideMap(spec: MapSpec, context: ProvideMapContext): ProvidedMap {
  const { kernel, options, shared, create } = context;
  const given = options.maps?.get(spec.name);
  if (given instanceof BpfMap) {
    checkCompatible(spec, { info: given.info(), kernel });
    return { map: given, owned: false, reused: true };
  }
  if (given) return { map: openExisting(spec, { ...context, reference: given }), owned: true, reused: true };
  const path = options.pinRoot === false ? undefined : pinPathOf(spec, options.pinRoot);
  if (path === undefined) return { map: create(), owned: true, reused: false };
  const map = shared.openOrCreate(spec, { path, create });
  return { map, owned: true, reused: shared.pins.get(spec.name)?.reused === true };
}

function openExisting(
  spec: MapSpec,
  { object, kernel, reference }: { object: ObjectFile; kernel: Kernel; reference: ExistingMapReference },
): BpfMap {
  if ('pin' in reference) {
    const { pin: path } = reference;
    return adoptMap(openPin(kernel, { path, what: 'map' }), { spec, object, kernel, path });
  }
  const { id } = reference;
  return adoptMap(BpfMap.fromId(id, { kernel }).fd, { spec, object, kernel, id });
}
