import { ObjectFile } from '../../elf/index.ts';
import { Feature, isSupported } from '../../features/index.ts';
import type { XdpAttachment } from '../../link/index.ts';
import { Collection } from '../../loader/index.ts';
import { NetworkNamespace } from '../../sys/index.ts';
import { ExitCode } from '../exit-code.ts';
import { attachAll, findTargets, reportAttached, type FoundInterface } from '../load/interfaces.ts';
import type { Output } from '../output/output.ts';
import { shippedObject } from '../shipped-object.ts';
import type { MonitorCommandOptions } from './options.ts';
import { PacketStream } from './stream.ts';

const PROGRAM = 'capture_packet_data';
const JUMBO_PROGRAM = 'capture_jumbo_packet_data';
/** A page of the largest kind, which is a multiple of every other. */
const SMALLEST_RING = 65_536;
/** Every driver takes a frame of this MTU as one buffer. */
const SINGLE_BUFFER_MTU = 1500;

/** `ts-xdp monitor`: see commands/monitor.ts for what it takes. */
export async function runMonitor(options: MonitorCommandOptions, output: Output): Promise<number> {
  const netns = options.netns === undefined ? undefined : NetworkNamespace.open(options.netns);
  try {
    const names = options.iface.length === 0 ? ['lo'] : [...new Set(options.iface)];
    const targets = findTargets(
      names.map((name) => ({ name })),
      netns,
    );
    const object = ObjectFile.open(shippedObject('monitor.bpf.o'));
    const showsPackets = output.json || options.verbose === true;
    if (!showsPackets && options.count === undefined) goWithoutEvents(object);
    const program = programFor(targets);
    const collection = Collection.load(object, { programs: [program] });
    try {
      for (const warning of collection.warnings) output.note(`note: ${warning}`);
      await follow({ collection, program, targets, options, netns, output, showsPackets });
    } finally {
      collection.close();
    }
    return ExitCode.Done;
  } finally {
    netns?.close();
  }
}

/** Where nobody looks at packets they are only counted: that costs a fraction, and no memory for rings. */
function goWithoutEvents(object: ObjectFile): void {
  object.variable('wants_events').set(0);
  for (const ring of object.anchors.events.keys()) object.map(ring).maxEntries = SMALLEST_RING;
}

/** Drivers refuse the plain one where frames may span several buffers; the other is for Linux 5.18 and later. */
function programFor(targets: readonly FoundInterface[]): string {
  const jumbo = targets.some(({ mtu }) => mtu > SINGLE_BUFFER_MTU);
  return jumbo && isSupported(Feature.XdpFrags) ? JUMBO_PROGRAM : PROGRAM;
}

interface MonitorContext {
  readonly collection: Collection;
  readonly program: string;
  readonly targets: readonly FoundInterface[];
  readonly options: MonitorCommandOptions;
  readonly netns: NetworkNamespace | undefined;
  readonly output: Output;
  readonly showsPackets: boolean;
}

async function follow(context: MonitorContext): Promise<void> {
  const { collection, targets, options, netns, output } = context;
  const program = collection.program(context.program);
  const stream = PacketStream.prepare(context);
  let attachments: XdpAttachment[] = [];
  try {
    const how = { via: 'link' as const, ...(options.mode && { mode: options.mode }) };
    attachments = attachAll(program, { targets, options: how, netns });
    for (const attachment of attachments) reportAttached(output, { attachment, program, options });
    await stream.run(attachments.map((link) => ({ link, program })));
    await output.flush();
  } finally {
    for (const attachment of attachments) attachment.close();
    stream.close();
  }
}
