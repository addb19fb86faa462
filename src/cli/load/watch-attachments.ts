import { statSync } from 'node:fs';
import { AttachError } from '../../errors.ts';
import { BpfLink, inNamespace, type Link } from '../../link/index.ts';
import { RouteSocket, tryInterfaceByIndex } from '../../netlink/index.ts';
import type { NetworkNamespace } from '../../sys/index.ts';
import type { Output } from '../output/output.ts';
import type { EndOfStream } from './end-of-stream.ts';
import { attachmentFacts, type AttachedProgram } from './attach-programs.ts';

/**
 * Milliseconds. The kernel notifies nobody of a bpf_link that is detached; asking costs a call of a few microseconds for
 * each attachment that can be taken away.
 */
const INTERVAL = 1000;

interface WatchContext {
  readonly netns: NetworkNamespace | undefined;
  readonly output: Output;
  /** What ends with the last attachment. */
  readonly end: EndOfStream;
}

/**
 * Tells of attachments that end while a stream runs: taken away by somebody else, or gone with what they were attached to. The
 * stream ends with the last one.
 */
export class AttachmentWatch {
  readonly #context: WatchContext;
  readonly #watched: Watched[];
  readonly #timer: NodeJS.Timeout;
  #takenAway: readonly AttachedProgram[] = [];
  #failure: AttachError | undefined;

  constructor(attachments: readonly AttachedProgram[], context: WatchContext) {
    this.#context = context;
    this.#watched = attachments.map((attached) => ({ attached, place: placeOf(attached.link) }));
    this.#timer = setInterval(() => {
      this.look();
    }, INTERVAL);
  }

  /** ATTACH_CHANGED where nothing is attached any more, and that is somebody's doing. */
  get failure(): AttachError | undefined {
    return this.#failure;
  }

  /** Asks the kernel now. */
  look(): void {
    try {
      this.#look();
    } catch (error) {
      this.close();
      this.#context.end.fail(error);
    }
  }

  close(): void {
    clearInterval(this.#timer);
    this.#watched.length = 0;
  }

  #look(): void {
    const lost = this.#watched.filter(({ attached }) => !attached.link.attached);
    if (lost.length === 0) return;
    for (const one of lost) {
      this.#watched.splice(this.#watched.indexOf(one), 1);
      this.#report(one);
    }
    if (this.#watched.length > 0) return;
    this.close();
    if (this.#takenAway.length > 0) this.#failure = endError(this.#takenAway);
    this.#context.end.finish();
  }

  #report({ attached, place }: Watched): void {
    const { output, netns } = this.#context;
    const gone = place !== undefined && isGone(place, netns);
    if (!gone) this.#takenAway = [...this.#takenAway, attached];
    const { link, program } = attached;
    const what = program
      ? `${program.name} is no longer attached to ${link.target}`
      : `${link.target} is no longer attached`;
    output.note(`note: ${what}: ${gone ? `the ${place.kind} is gone` : 'somebody else has detached it'}`);
    if (!output.json) return;
    output.stream({
      json: () => ({
        type: 'detached',
        ...attachmentFacts(attached),
        ...(place?.kind === 'interface' && { ifindex: place.ifindex }),
        reason: gone ? 'target_gone' : 'taken_away',
      }),
      text: () => '',
    });
  }
}

interface Watched {
  readonly attached: AttachedProgram;
  readonly place: Place | undefined;
}

/** What can vanish from under a program, by what tells it from another of that name. */
type Place =
  | { readonly kind: 'interface'; readonly ifindex: number }
  | { readonly kind: 'cgroup'; readonly directory: string; readonly inode: bigint };

/** Asked while it is attached: afterwards a link does not know where it was. */
function placeOf(link: Link): Place | undefined {
  if ('ifindex' in link) return { kind: 'interface', ifindex: link.ifindex as number };
  if (!(link instanceof BpfLink) || !['tcx', 'netkit', 'cgroup'].includes(link.kind)) return undefined;
  const info = link.info();
  if ('ifindex' in info) return { kind: 'interface', ifindex: info.ifindex };
  // The id of a cgroup is the inode of its directory (cgroup_id() in include/linux/cgroup.h).
  return info.kind === 'cgroup'
    ? { kind: 'cgroup', directory: link.target, inode: info.cgroupId }
    : undefined;
}

function isGone(place: Place, netns: NetworkNamespace | undefined): boolean {
  if (place.kind === 'cgroup') {
    return statSync(place.directory, { bigint: true, throwIfNoEntry: false })?.ino !== place.inode;
  }
  return inNamespace(netns, () => {
    const socket = RouteSocket.open();
    try {
      return tryInterfaceByIndex(socket, place.ifindex) === undefined;
    } finally {
      socket.close();
    }
  });
}

function endError(takenAway: readonly AttachedProgram[]): AttachError {
  const [first] = takenAway;
  const target = first?.link.target ?? '';
  const name = first?.program?.name ?? target;
  const what = takenAway.length === 1 ? name : `${String(takenAway.length)} programs`;
  const [them, where] = takenAway.length === 1 ? ['it', ` to ${target}`] : ['them', ''];
  return new AttachError(
    'ATTACH_CHANGED',
    target,
    `Cannot keep ${what} attached${first?.program ? where : ''}: somebody else has detached ${them}`,
  );
}
