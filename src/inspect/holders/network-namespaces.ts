import { readlinkSync } from 'node:fs';
import { NotFoundError } from '../../errors.ts';
import { NetworkNamespace } from '../../sys/index.ts';
import { mountedNamespaces, type VisibleMount } from './mounts.ts';
import { inodeOf, type ProcessSurvey } from './processes.ts';

/** A network namespace, by what it can be opened with again. */
export interface NamespaceReference {
  readonly inode: number;
  /** The name that iproute2 gave it, or a path; undefined for the one that this process is in. */
  readonly name: string | undefined;
}

/** Every network namespace that a process is in or has open, or that is mounted; this process's comes first. */
export function findNetworkNamespaces(
  survey: ProcessSurvey,
  mounts: readonly VisibleMount[],
): NamespaceReference[] {
  const own = inodeOf(readlinkSync('/proc/thread-self/ns/net')) ?? 0;
  const paths = new Map([...survey.networkNamespaces, ...mountedNamespaces(mounts)]);
  paths.delete(own);
  const others = [...paths].map(([inode, path]) => ({ inode, name: nameOf(path) }));
  return [{ inode: own, name: undefined }, ...others];
}

/** What iproute2 and the option `--netns` take for it. */
function nameOf(path: string): string {
  const [, named] = /^(?:\/var)?\/run\/netns\/([^/]+)$/.exec(path) ?? [];
  return named ?? path;
}

/** Opens a namespace again; undefined where it went away. @throws PermissionError */
export function openNamespace({ name, inode }: NamespaceReference): NetworkNamespace | undefined {
  let netns: NetworkNamespace;
  try {
    netns = name === undefined ? NetworkNamespace.current() : NetworkNamespace.open(name);
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
  if (netns.inode === inode) return netns;
  netns.close();
  return undefined;
}
