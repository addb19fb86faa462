import type { NamespaceReference } from '../../inspect/index.ts';

/** An interface, and its namespace where that is another than the command's. */
export function inNamespace(interfaceName: string, { name }: NamespaceReference): string {
  return name === undefined ? interfaceName : `${interfaceName} in network namespace ${name}`;
}

/** A network namespace as a whole. */
export function namespaceText({ name }: NamespaceReference): string {
  return name === undefined ? 'this network namespace' : `network namespace ${name}`;
}
