import { ObjectFile } from '../../elf/index.ts';
import { Feature, isSupported } from '../../features/index.ts';
import type { XdpAttachment } from '../../link/index.ts';
import { checkPinDirectory, Collection, pinCollection } from '../../loader/index.ts';
import { PolicyMaps, type RulesFile } from '../../policy/index.ts';
import { NetworkNamespace } from '../../sys/index.ts';
import { ExitCode, UsageError } from '../exit-code.ts';
import { attachAll, findTargets, reportAttached, type FoundInterface } from '../load/interfaces.ts';
import type { Output } from '../output/output.ts';
import { shellWord } from '../output/shell-word.ts';
import { shippedObject } from '../shipped-object.ts';
import { DEFAULT_PIN, type PolicyLoadOptions } from './options.ts';
import { readRulesFile } from './rules-file.ts';
import { DenialStream } from './stream.ts';
import { settingsLine } from './text.ts';

const PROGRAM = 'security_enforce';
const JUMBO_PROGRAM = 'enforce_jumbo_frames';
/** Every driver takes a frame of this MTU as one buffer. */
const SINGLE_BUFFER_MTU = 1500;
const LOG_RATE = 1000;
const NO_RULES: RulesFile = { rules: [], defaultAction: undefined, ipv6: undefined, dryRun: undefined };

/** `ts-xdp policy load`: see commands/policy.ts for what it takes. */
export async function loadPolicy(options: PolicyLoadOptions, output: Output): Promise<number> {
  if (options.iface.length === 0) throw new UsageError('policy load needs an interface: --iface NAME');
  const file = options.rules === undefined ? NO_RULES : readRulesFile(options.rules);
  const pin = options.pin ?? (options.detach === true ? DEFAULT_PIN : undefined);
  if (pin !== undefined) checkPinDirectory(pin);
  const netns = options.netns === undefined ? undefined : NetworkNamespace.open(options.netns);
  try {
    const names = [...new Set(options.iface)];
    const targets = findTargets(
      names.map((name) => ({ name })),
      netns,
    );
    const program = programFor(targets);
    const object = ObjectFile.open(shippedObject('policy.bpf.o'));
    const collection = Collection.load(object, { programs: [program] });
    try {
      for (const warning of collection.warnings) output.note(`note: ${warning}`);
      fillMaps(collection, { file, options, output });
      await enforce({ collection, program, targets, options, netns, output, pin });
    } finally {
      collection.close();
    }
    return ExitCode.Done;
  } finally {
    netns?.close();
  }
}

/** Drivers refuse the plain one where frames may span several buffers; the other is for Linux 5.18 and later. */
function programFor(targets: readonly FoundInterface[]): string {
  const jumbo = targets.some(({ mtu }) => mtu > SINGLE_BUFFER_MTU);
  return jumbo && isSupported(Feature.XdpFrags) ? JUMBO_PROGRAM : PROGRAM;
}

/** All of it before anything is attached: no packet meets half of the rules. */
function fillMaps(
  collection: Collection,
  { file, options, output }: { file: RulesFile; options: PolicyLoadOptions; output: Output },
): void {
  const maps = PolicyMaps.of(collection);
  const settings = {
    defaultAction: options.default ?? file.defaultAction ?? 'deny',
    ipv6: options.ipv6 ?? file.ipv6 ?? 'default',
    dryRun: options.dryRun ?? file.dryRun ?? false,
    denialsPerSecond: options.logRate ?? LOG_RATE,
  };
  maps.settings = settings;
  maps.fill(file.rules);
  output.note(`note: ${file.rules.length} rules; ${settingsLine(settings)}`);
}

interface PolicyContext {
  readonly collection: Collection;
  readonly program: string;
  readonly targets: readonly FoundInterface[];
  readonly options: PolicyLoadOptions;
  readonly netns: NetworkNamespace | undefined;
  readonly output: Output;
  readonly pin: string | undefined;
}

async function enforce(context: PolicyContext): Promise<void> {
  const { collection, targets, options, netns, output, pin } = context;
  const program = collection.program(context.program);
  const stream = options.detach === true ? undefined : DenialStream.prepare(context);
  let attachments: XdpAttachment[] = [];
  try {
    const how = { via: 'link' as const, ...(options.mode && { mode: options.mode }) };
    attachments = attachAll(program, { targets, options: how, netns });
    for (const attachment of attachments) reportAttached(output, { attachment, program, options });
    if (pin !== undefined) pinTo(pin, { collection, attachments, output });
    await stream?.run(attachments.map((link) => ({ link, program })));
    await output.flush();
  } finally {
    // What is pinned stays attached: this only gives the descriptors back.
    for (const attachment of attachments) attachment.close();
    stream?.close();
  }
}

function pinTo(
  directory: string,
  {
    collection,
    attachments,
    output,
  }: { collection: Collection; attachments: readonly XdpAttachment[]; output: Output },
): void {
  pinCollection(directory, { collection, links: attachments });
  output.stream({
    json: () => ({ type: 'pinned', directory }),
    text: () => `pinned to ${directory}, where it stays until "ts-xdp unload ${shellWord(directory)}"`,
  });
}
