export { holdersOf } from './holders-of.ts';
export type { Holders } from './holders-of.ts';
export type * from './holder.ts';
export type { NamespaceReference } from './network-namespaces.ts';
export { openNamespace } from './network-namespaces.ts';
export { detachLink, releaseHolder } from './release.ts';
