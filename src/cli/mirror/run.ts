import { ObjectFile } from '../../elf/index.ts';
import { Collection } from '../../loader/index.ts';
import { Mirror, parseMirrorRule, type MirrorAttachment } from '../../mirror/index.ts';
import { NetworkNamespace } from '../../sys/index.ts';
import { ExitCode, UsageError } from '../exit-code.ts';
import { EndOfStream } from '../load/end-of-stream.ts';
import { followInterfaces } from '../load/follow-interfaces.ts';
import { AttachmentWatch } from '../load/watch-attachments.ts';
import type { Output } from '../output/output.ts';
import { shippedObject } from '../shipped-object.ts';
import { STATISTICS_INTERVAL, type MirrorCommandOptions } from './options.ts';
import { PinDirectory, refuseSharedStatistics } from './pins.ts';
import { MirrorStatistics } from './statistics.ts';

/** `ts-xdp mirror`: see commands/mirror.ts for what it takes. */
export async function runMirror(options: MirrorCommandOptions, output: Output): Promise<number> {
  checkOptions(options);
  const rules = options.only.map(parseMirrorRule);
  const end = new EndOfStream();
  // Before anything is made: a signal in between must not leave it behind.
  const cleanup = [end.onSignals()];
  try {
    end.onStandardOutput(output);
    const netns = options.netns === undefined ? undefined : NetworkNamespace.open(options.netns);
    cleanup.push(() => netns?.close());
    const pins = PinDirectory.choose(options.pin, output);
    const collection = Collection.load(ObjectFile.open(shippedObject('mirror.bpf.o')), {
      pinRoot: pins.path ?? false,
    });
    cleanup.push(() => {
      collection.close();
      pins.remove(collection);
    });
    refuseSharedStatistics(collection);
    for (const warning of collection.warnings) output.note(`note: ${warning}`);
    const mirror = Mirror.start(collection, {
      ...options,
      interfaces: options.iface,
      remotes: options.remote,
      devices: options.device,
      rules,
      netns,
    });
    cleanup.push(() => {
      mirror.close();
    });
    await follow({ mirror, collection, options, netns, output, end });
    return ExitCode.Done;
  } finally {
    undo(cleanup);
  }
}

/** The last first, all of them, whatever fails. */
function undo(cleanup: (() => void)[]): void {
  const step = cleanup.pop();
  if (!step) return;
  try {
    step();
  } finally {
    undo(cleanup);
  }
}

function checkOptions({ iface, remote, device, vni, port }: MirrorCommandOptions): void {
  if (iface.length === 0) throw new UsageError('nothing says what to mirror: give --iface NAME');
  if (remote.length === 0 && device.length === 0)
    throw new UsageError('nothing says where to: give --remote ADDRESS, or --device NAME of a tunnel');
  if (remote.length > 0 && device.length > 0)
    throw new UsageError('--remote and --device exclude each other: a device that is there knows its remote');
  if (device.length > 0 && (vni !== undefined || port !== undefined))
    throw new UsageError('--vni and --port are for --remote: a device that is there has its own');
}

interface FollowContext {
  readonly mirror: Mirror;
  readonly collection: Collection;
  readonly options: MirrorCommandOptions;
  readonly netns: NetworkNamespace | undefined;
  readonly output: Output;
  readonly end: EndOfStream;
}

async function follow({ mirror, collection, options, netns, output, end }: FollowContext): Promise<void> {
  const { attachments } = mirror;
  const statistics = new MirrorStatistics(mirror, output);
  reportStart(mirror, { collection, output });
  const watch = new AttachmentWatch(attachments, { netns, output, end });
  const targets = sourcesOf(attachments);
  const cleanup = [
    (): void => {
      watch.close();
    },
  ];
  try {
    const routes = followInterfaces({ targets, netns, maps: undefined, output }, () => {
      watch.look();
    });
    cleanup.push(() => {
      routes.close();
    });
    cleanup.push(every(options.stats ?? STATISTICS_INTERVAL, { statistics, end }));
    if (options.duration !== undefined) cleanup.push(end.after(options.duration));
    await end.reached;
    // No statistics come after the totals.
    undo(cleanup);
    mirror.close();
    statistics.printFinal();
    await output.flush();
    if (watch.failure) throw watch.failure;
  } finally {
    undo(cleanup);
  }
}

function every(
  milliseconds: number,
  { statistics, end }: { statistics: MirrorStatistics; end: EndOfStream },
): () => void {
  const timer = setInterval(() => {
    try {
      statistics.printPeriodic();
    } catch (error) {
      end.fail(error);
    }
  }, milliseconds);
  return () => {
    clearInterval(timer);
  };
}

function reportStart(
  mirror: Mirror,
  { collection, output }: { collection: Collection; output: Output },
): void {
  const pin = collection.sharedMaps.get('mirror_stats')?.path;
  for (const { program, device, direction, link } of mirror.attachments) {
    output.stream({
      json: () => ({
        type: 'attached',
        kind: link.kind,
        program: program.name,
        target: device.name,
        ifindex: device.index,
        direction,
        via: mirror.via,
        program_id: program.id,
        link_id: link.id ?? null,
      }),
      text: () =>
        `attached ${program.name} to ${device.name} (${direction}, by ${mirror.via}, program ${String(program.id)})`,
    });
  }
  output.stream({
    json: () => ({
      type: 'mirroring',
      devices: mirror.devices.map(({ name, index }) => ({ name, ifindex: index })),
      targets: mirror.targets.map(({ name, tunnel }) => ({ target: name, vni: tunnel?.vni ?? null })),
      statistics_pin: pin ?? null,
      notes: [...mirror.notes],
    }),
    text: () =>
      `mirroring to ${mirror.targets.map(({ name }) => name).join(', ')} through ` +
      mirror.devices.map(({ name }) => name).join(', '),
  });
  for (const note of mirror.notes) output.note(`note: ${note}`);
}

/** Each once. */
function sourcesOf(attachments: readonly MirrorAttachment[]): MirrorAttachment['device'][] {
  return [...new Map(attachments.map(({ device }) => [device.index, device])).values()];
}
