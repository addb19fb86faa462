/** Where a load that is refused must leave nothing behind. */
import type { Test } from 'tap';
import { leftObjects, xdpState } from './kernel-objects.ts';
import { ObjectFolder, uniqueTag } from './object-source.ts';
import { VethPair } from './veth.ts';

export interface Place {
  readonly pair: VethPair;
  readonly netns: string;
  readonly device: string;
  readonly tag: string;
  readonly object: string;
  readonly folder: ObjectFolder;
}

/** An interface in a namespace of its own and an object whose names are nobody else's. */
export async function inPlace(
  action: (place: Place) => Promise<void>,
  defines: Record<string, string> = {},
): Promise<void> {
  const folder = new ObjectFolder();
  const pair = VethPair.open();
  try {
    const tag = uniqueTag();
    const object = folder.compile('variants', { name: `${tag}_x`, defines: { TAG: tag, ...defines } });
    const netns = String(pair.namespaceName);
    await action({ pair, netns, device: pair.receiver.name, tag, object, folder });
  } finally {
    pair.close();
    folder.close();
  }
}

export async function nothingLeft(t: Test, { tag, device, netns }: Place): Promise<void> {
  t.same(await leftObjects(tag), [], 'no program and no map is left');
  t.equal(xdpState(device, netns).programId, undefined, 'nothing is attached');
}
