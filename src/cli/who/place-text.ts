import type { NamespaceReference } from '../../inspect/index.ts';

/** An interface, and its namespace where that is another than the command's. */
export function inNamespace(interfaceName: string, { name }: NamespaceReference): string {
  return name === undefined ? interfaceName : `${interfaceName} in network namespace ${name}`;
}

/** A network namespace as a whole. */
export function namespaceText({ name }: NamespaceReference): string {
  return name === undefined ? 'this network namespace' : `network namespace ${name}`;
}

/** What a filter hangs on, as tc(8) spells it: `1:` is a qdisc, `1:10` a class, `ffff:fff2` a side of clsact. */
export function parentText(parent: number): string {
  const minor = parent & 0xffff;
  return `${(parent >>> 16).toString(16)}:${minor === 0 ? '' : minor.toString(16)}`;
}
