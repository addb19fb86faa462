import { ArgumentError, NotFoundError } from '../errors.ts';
import type { ObjectFile } from '../elf/index.ts';
import { attachXdp, inNamespace, liveLinks, type XdpAttachment } from '../link/index.ts';
import { bindToDevice, chooseXdpProgram, Collection, type ExistingMapReference } from '../loader/index.ts';
import type { BpfMap } from '../maps/index.ts';
import { interfaceByName, RouteSocket } from '../netlink/index.ts';
import { adaptToKernel, fillSnifferMaps, SnifferMaps } from '../sniffer/index.ts';
import type { NetworkNamespace } from '../sys/index.ts';
import { EventStream, type StreamedEvent } from './event-stream.ts';

export interface SessionOptions {
  /** Finds an object by path, or by the name of one that is shipped. */
  readonly openObject: (name: string) => ObjectFile;
  /** Where interfaces are looked up. @default the current namespace */
  readonly netns?: NetworkNamespace | undefined;
  /** Gets the events of every ring buffer of the loaded object. */
  readonly onEvent: (event: StreamedEvent) => void;
  /** Gets what the person should know: maps that were filled, a stream that ended. */
  readonly note: (text: string) => void;
}

export interface LoadChoice {
  /** Attach the object's XDP program to these. */
  readonly iface?: string | readonly string[] | undefined;
  /** The program to load, and to attach; without it all are loaded that the object wants loaded. */
  readonly prog?: string | undefined;
  /** Maps that exist, for those of the object that bear the name: `{ counters: { pin: '/sys/fs/bpf/counters' } }`. */
  readonly maps?: Readonly<Record<string, BpfMap | ExistingMapReference>> | undefined;
}

/** What a session holds now: at most one object, in the kernel or only read, and what it attached. */
export class Session {
  readonly netns: NetworkNamespace | undefined;
  readonly #options: SessionOptions;
  #object: ObjectFile | undefined;
  #collection: Collection | undefined;
  #stream: EventStream | undefined;
  #attachments: XdpAttachment[] = [];
  #programName: string | undefined;
  #streaming = true;
  #onChange: () => void = () => undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.netns = options.netns;
  }

  get object(): ObjectFile | undefined {
    return this.#object;
  }

  /** Undefined while no object is in the kernel. */
  get collection(): Collection | undefined {
    return this.#collection;
  }

  /** What this session attached and has not detached. */
  get attachments(): readonly XdpAttachment[] {
    return this.#attachments.filter(({ closed }) => !closed);
  }

  /** Events that were read, by the name of their ring buffer; empty where no object is loaded. */
  get eventCounts(): ReadonlyMap<string, number> {
    return this.#stream?.counts ?? new Map<string, number>();
  }

  get streaming(): boolean {
    return this.#streaming;
  }

  /** Called when another object takes the place of the one before. */
  onChange(listener: () => void): void {
    this.#onChange = listener;
  }

  /** Reads an object without touching the kernel. @throws FileError, ElfError, BtfError, ObjectError */
  read(name: string): ObjectFile {
    const object = this.#options.openObject(name);
    this.#release();
    this.#object = object;
    this.#onChange();
    return object;
  }

  /**
   * Loads an object, in the place of the one before, whose attachments and maps are closed, and attaches it where
   * that is asked for.
   *
   * @throws what `ObjectFile.open`, `Collection.load` and `attachXdp` throw; the session then has no object, or the
   * object without attachments
   */
  load(name: string, choice: LoadChoice = {}): Collection {
    this.read(name);
    return this.loadObject(choice);
  }

  /** Loads the object that was read, and attaches it as {@link load} does. */
  loadObject(choice: LoadChoice = {}): Collection {
    const object = this.#requireObject();
    const interfaces = [choice.iface ?? []].flat();
    const { prog } = choice;
    if (prog !== undefined) {
      const only = object.program(prog);
      for (const spec of object.programs.values()) spec.autoload = spec === only;
    }
    if (interfaces.length > 0) {
      const program = chooseXdpProgram(object, prog);
      program.autoload = true;
      bindToDevice(
        program,
        interfaces.map((iface) => this.#findInterface(iface)),
      );
    }
    adaptToKernel(object);
    this.#collection = Collection.load(object, { maps: new Map(Object.entries(choice.maps ?? {})) });
    this.#programName = prog;
    if (this.#streaming) this.startStreaming();
    this.#onChange();
    for (const iface of interfaces) this.attach(iface);
    return this.#collection;
  }

  /**
   * Attaches the loaded object's XDP program to an interface. A sniffer's maps are filled first.
   *
   * @throws ArgumentError where nothing is loaded; NotFoundError; AttachError
   */
  attach(iface: string, { prog }: { prog?: string | undefined } = {}): XdpAttachment {
    const collection = this.#collection;
    if (!collection) {
      throw new ArgumentError('iface', `Cannot attach to ${iface}: no object is loaded`, {
        hint: this.#object
          ? 'the object was only read; it must be loaded first'
          : 'load one: load("sniffer.bpf.o")',
      });
    }
    const spec = chooseXdpProgram(collection.object, prog ?? this.#programName);
    const program = collection.program(spec.name);
    const { netns } = this;
    const device = this.#findInterface(iface);
    const maps = SnifferMaps.of(collection);
    if (maps) {
      const target = { ...device, mode: 'gateway', isWan: false } as const;
      const { addresses } = fillSnifferMaps(maps, { targets: [target], netns });
      this.#options.note(
        `note: filled the sniffer's maps: ${device.name} (gateway); ${String(addresses)} local addresses`,
      );
    }
    try {
      const attachment = attachXdp(program, { interface: device.index, ...(netns && { netns }) });
      this.#attachments.push(attachment);
      return attachment;
    } catch (error) {
      maps?.removeInterface(device.index);
      throw error;
    }
  }

  /** Detaches from one interface, or from all. @throws NotFoundError (LINK_NOT_FOUND) */
  detach(iface?: string): readonly XdpAttachment[] {
    const chosen = this.attachments.filter(({ target }) => iface === undefined || target === iface);
    if (chosen.length === 0) {
      const where = iface ?? 'any interface';
      throw new NotFoundError(
        'LINK_NOT_FOUND',
        where,
        `Cannot detach: nothing is attached to ${where} from here`,
        {
          available: this.attachments.map(({ target }) => target),
        },
      );
    }
    const maps = this.#collection && SnifferMaps.of(this.#collection);
    for (const attachment of chosen) {
      attachment.close();
      maps?.removeInterface(attachment.ifindex);
    }
    this.#attachments = [...this.attachments];
    return chosen;
  }

  startStreaming(): void {
    this.#streaming = true;
    const { onEvent, note } = this.#options;
    if (this.#collection) this.#stream ??= new EventStream(this.#collection, { note });
    this.#stream?.start(onEvent);
  }

  /** The rings keep filling; somebody else may read them now. */
  stopStreaming(): void {
    this.#streaming = false;
    this.#stream?.stop();
  }

  /** Detaches whatever was attached in this process and is still, and closes the object. Idempotent. */
  close(): void {
    try {
      for (const link of liveLinks()) link.close();
    } finally {
      this.#release();
    }
  }

  #release(): void {
    for (const attachment of this.#attachments) attachment.close();
    this.#attachments = [];
    this.#stream?.close();
    this.#stream = undefined;
    this.#collection?.close();
    this.#collection = undefined;
    this.#programName = undefined;
    this.#object = undefined;
  }

  #requireObject(): ObjectFile {
    if (this.#object) return this.#object;
    throw new ArgumentError('object', 'Cannot load: there is no object', {
      hint: 'name one: load("sniffer.bpf.o")',
    });
  }

  #findInterface(name: string): { index: number; name: string } {
    return inNamespace(this.netns, () => {
      const socket = RouteSocket.open();
      try {
        const device = interfaceByName(socket, name);
        return { index: device.index, name: device.name };
      } finally {
        socket.close();
      }
    });
  }
}
