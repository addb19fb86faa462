import type { Link } from './link.ts';

/** Links are reachable from here until they are closed: garbage collection must never detach a program. */
const live = new Set<Link>();

export function hold(link: Link): void {
  live.add(link);
}

export function letGo(link: Link): void {
  live.delete(link);
}

/** Every link that this thread attached or opened and has not closed. */
export function liveLinks(): readonly Link[] {
  return [...live];
}
