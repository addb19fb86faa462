import type { LinkInfo } from '../../link/index.ts';
import type { NetworkInterface, RouteSocket } from '../../netlink/index.ts';
import type { Kernel, NetworkNamespace } from '../../sys/index.ts';
import type { Held } from './holder.ts';
import type { VisibleMount } from './mounts.ts';
import type { NamespaceReference } from './network-namespaces.ts';
import type { ProcessSurvey } from './processes.ts';

/** What is looked for, and what was read once for all kinds of holders. */
export interface Search {
  readonly kernel: Kernel;
  readonly held: Held;
  /** Of a program `BPF_PROG_TYPE_*`, of a map `BPF_MAP_TYPE_*`; undefined for a link. */
  readonly type: number | undefined;
  readonly processes: ProcessSurvey;
  readonly mounts: readonly VisibleMount[];
  readonly networkNamespaces: readonly NamespaceReference[];
  readonly links: readonly LinkInfo[];
}

/** A network namespace that is looked into, and what is there. */
export interface Network {
  readonly reference: NamespaceReference;
  readonly netns: NetworkNamespace;
  readonly socket: RouteSocket;
  readonly interfaces: readonly NetworkInterface[];
}
