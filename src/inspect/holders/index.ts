export { descriptorHolders } from './descriptors.ts';
export type { DescriptorHolder } from './descriptors.ts';
export { findPins } from './pins.ts';
export { holdersOf } from './holders-of.ts';
export type { Holders } from './holders-of.ts';
export type * from './holder.ts';
export type { NamespaceReference } from './network-namespaces.ts';
export { openNamespace } from './network-namespaces.ts';
export { detachLink, releaseHolder } from './release.ts';
