import type { Feature } from './feature.ts';

/** What was asked for by number and not by name, so that answers are kept. */
const asked = new Map<string, Feature>();

/** The feature of a name, made when it is first asked for. */
export function askedFeature(name: string, make: (name: string) => Feature): Feature {
  let feature = asked.get(name);
  if (feature === undefined) {
    feature = make(name);
    asked.set(name, feature);
  }
  return feature;
}

/** What follows the name of a feature where a network device is asked for it. */
export function onDevice(device: number | undefined): string {
  return device === undefined ? '' : ` on network device ${device}`;
}
