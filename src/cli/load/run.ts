import { ArgumentError } from '../../errors.ts';
import { ObjectFile } from '../../elf/index.ts';
import { bindToDevice, checkPinDirectory, Collection, pinCollection } from '../../loader/index.ts';
import { inNamespace } from '../../link/index.ts';
import {
  adaptToKernel,
  fillSnifferMaps,
  SnifferMaps,
  type InterfaceConfiguration,
  type SnifferConfiguration,
} from '../../sniffer/index.ts';
import { NetworkNamespace } from '../../sys/index.ts';
import type { CommandInput } from '../command.ts';
import { ExitCode, UsageError } from '../exit-code.ts';
import type { Output } from '../output/output.ts';
import { shellWord } from '../output/shell-word.ts';
import { resolveObject } from '../shipped-object.ts';
import { setEntry } from './assignments.ts';
import { checkOptions } from './check-options.ts';
import type { LoadedContext } from './context.ts';
import { attachPrograms, type AttachedProgram } from './attach-programs.ts';
import { openExtended } from './extended-programs.ts';
import { findTargets } from './interfaces.ts';
import { reportLeftOut } from './left-out.ts';
import type { LoadCommandOptions } from './options.ts';
import { prepareObject } from './prepare-object.ts';
import type { ProgramSelection } from './select-programs.ts';
import { EventStream } from './stream.ts';
import { optionsWithoutEffect } from './without-effect.ts';

/** `ts-xdp load`: see commands/load.ts for what it takes. */
export async function runLoad(input: CommandInput, output: Output): Promise<number> {
  const [name] = input.arguments as [string];
  const options = input.options as unknown as LoadCommandOptions;
  checkOptions(options);
  const { path, shipped } = resolveObject(name);
  if (shipped) output.note(`note: there is no ${name} here; using the one that comes with ts-xdp`);
  const object = ObjectFile.open(path);
  adaptToKernel(object);
  const selection = prepareObject(object, options);
  const ignored = optionsWithoutEffect(options, { object, selection });
  if (ignored.length > 0) output.note(`note: without effect on this object: ${ignored.join(', ')}`);
  // Late: start-up is mostly imports, and few load by a configuration.
  const configuration =
    options.config === undefined
      ? undefined
      : (await import('./configuration-file.ts')).readConfiguration(options.config);
  const pinDirectory = pinDirectoryOf(options, { object, selection });
  if (pinDirectory !== undefined) checkPinDirectory(pinDirectory);
  const netns = options.netns === undefined ? undefined : NetworkNamespace.open(options.netns);
  try {
    const targets = findTargets(wantedInterfaces({ options, configuration, selection }), netns);
    if (configuration && configuration.withoutEffect.length > 0) {
      output.note(`note: without effect here: ${configuration.withoutEffect.join(', ')}`);
    }
    if (selection.xdp) bindToDevice(selection.xdp, targets);
    const load =
      options.multi === true ? (await import('./dispatched.ts')).loadForDispatcher : Collection.load;
    const attachTo = await openExtended(selection.others);
    const loadOptions = {
      attachTo,
      maps: new Map(options.map.map(({ name, reference }) => [name, reference])),
      ...(options.pinRoot !== undefined && { pinRoot: options.pinRoot }),
    };
    // The kernel looks the index of a bound program's device up in the namespace of whoever loads it.
    const place = selection.xdp?.deviceBound === undefined ? undefined : netns;
    const collection = inNamespace(place, () => {
      try {
        return load(object, loadOptions);
      } finally {
        for (const program of attachTo.values()) program.close();
      }
    });
    for (const warning of collection.warnings) output.note(`note: ${warning}`);
    try {
      for (const [map, { path, reused }] of collection.sharedMaps) {
        output.note(`note: map ${map} is ${reused ? 'the one pinned at' : 'new, and pinned to'} ${path}`);
      }
      return await runLoaded({
        collection,
        selection,
        targets,
        options,
        configuration,
        netns,
        pinDirectory,
        output,
      });
    } finally {
      collection.close();
    }
  } finally {
    netns?.close();
  }
}

async function runLoaded(context: LoadedContext): Promise<number> {
  const { collection, options, configuration, pinDirectory, output } = context;
  const maps = SnifferMaps.of(collection);
  if (maps) await fillMaps(maps, context);
  else if (configuration) {
    throw new ArgumentError('config', 'Cannot apply the configuration: the object has no map iface_configs');
  }
  for (const { map, key, value } of options.set) setEntry(collection.map(map), { key, value });
  const stream = options.detach === true ? undefined : await EventStream.prepare({ ...context, maps });
  const attachments: AttachedProgram[] = [];
  let pinned = false;
  try {
    attachments.push(...(await attachPrograms(context)));
    reportLeftOut(output, { leftOut: context.selection.leftOut, verbose: context.options.verbose });
    if (!stream) checkStay(attachments);
    if (pinDirectory !== undefined) {
      pin(pinDirectory, { attachments, context });
      pinned = true;
    }
    if (stream) await stream.run(attachments);
    else for (const { link } of attachments) link.leave();
    await output.flush();
    return ExitCode.Done;
  } finally {
    for (const { link } of attachments) {
      // A dispatcher is pinned where other tools look for it, and holds its programs without us.
      if (pinned && link.via === 'dispatcher') link.leave();
      else link.close();
    }
    stream?.close();
  }
}

/** What a perf event holds goes with this process, pinned or not. @throws ArgumentError */
function checkStay(attachments: readonly AttachedProgram[]): void {
  const leaving = attachments.find(({ link }) => link.via === 'perf_event');
  if (!leaving) return;
  const { link, program } = leaving;
  throw new ArgumentError(
    'detach',
    `Cannot leave ${program?.name ?? link.kind} attached to ${link.target}: a perf event of this process holds it, and goes with it`,
    { hint: 'leave --detach out, and let the command run' },
  );
}

function pin(
  directory: string,
  { attachments, context }: { attachments: readonly AttachedProgram[]; context: LoadedContext },
): void {
  const links = attachments.map(({ link }) => link);
  pinCollection(directory, {
    collection: context.collection,
    links: links.filter(({ via }) => via === 'link'),
  });
  context.output.stream({
    json: () => ({ type: 'pinned', directory }),
    text: () => `pinned to ${directory}; remove it with: ts-xdp unload ${shellWord(directory)}`,
  });
}

async function fillMaps(
  maps: SnifferMaps,
  { targets, configuration, netns, output }: LoadedContext,
): Promise<void> {
  const { addresses } = fillSnifferMaps(maps, { targets, netns });
  if (configuration)
    (await import('./configuration-file.ts')).applyConfiguration(configuration, { maps, targets });
  const list = targets.map(({ name, mode }) => `${name} (${mode})`).join(', ');
  output.note(`note: filled the sniffer's maps: ${list}; ${addresses} local addresses`);
}

/** The interfaces of the command line capture everything; those of a configuration what it says. */
function wantedInterfaces({
  options,
  configuration,
  selection,
}: {
  options: LoadCommandOptions;
  configuration: SnifferConfiguration | undefined;
  selection: ProgramSelection;
}): readonly InterfaceConfiguration[] {
  // Disabled ones are attached too: a change of the file can then enable them without a new attachment.
  const configured = configuration?.interfaces ?? [];
  const names = new Set(configured.map(({ name }) => name));
  const named = [...new Set(options.iface)].filter((name) => !names.has(name));
  const wanted = [
    ...configured,
    ...named.map((name) => ({ name, mode: 'gateway' as const, isWan: false, description: '' })),
  ];
  if (wanted.length === 0 && selection.onInterfaces)
    throw new UsageError('load needs an interface: --iface NAME, or a --config that names one');
  return wanted;
}

/**
 * `--detach` pins, because an unpinned link would go with this process; XDP and tc by netlink and XDP in a dispatcher
 * stay by themselves.
 */
function pinDirectoryOf(
  { pin, detach, via, multi }: LoadCommandOptions,
  { object, selection }: { object: ObjectFile; selection: ProgramSelection },
): string | undefined {
  const staysUnpinned =
    (via === 'netlink' || multi === true) &&
    selection.others.every(({ plan }) => via === 'netlink' && plan.heeded.has('via')) &&
    !selection.structOps;
  if (pin !== undefined || detach !== true || staysUnpinned) return pin;
  return `/sys/fs/bpf/${object.name.replace(/[^A-Za-z0-9_-]/g, '_')}`;
}
