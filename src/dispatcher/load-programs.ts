import { ObjectError } from '../errors.ts';
import type { ObjectFile, ProgramSpec } from '../elf/index.ts';
import { Collection, isXdp, type LoadOptions } from '../loader/index.ts';
import { BPF_PROG_TYPE_EXT } from '../uapi/index.ts';
import { explainRefusal } from './build.ts';
import { DISPATCHER_PROGRAM, loadDispatcher } from './dispatcher-object.ts';

/**
 * Loads an object whose XDP programs are to share an interface with others: each becomes an extension, to take the
 * place of a function of a dispatcher, instead of a program that an interface runs itself. Everything else is loaded as
 * {@link Collection.load} does it. The object is afterwards as it was.
 *
 * Linux 5.10. Needs CAP_SYS_ADMIN.
 *
 * @throws ObjectError (PROGRAM_NONE) without XDP programs; UnsupportedFeatureError where the kernel refuses extensions;
 * what Collection.load() throws
 *
 * @example
 * using collection = loadForDispatcher(ObjectFile.open('filters.bpf.o'));
 * const attachments = attachXdpMulti(collection, { interface: 'eth0' });
 */
export function loadForDispatcher(object: ObjectFile, options: LoadOptions = {}): Collection {
  const chosen = options.programs?.map((name) => object.program(name)) ?? [...object.programs.values()];
  const specs = chosen.filter((spec) => (options.programs !== undefined || spec.autoload) && isXdp(spec));
  if (specs.length === 0) {
    throw new ObjectError('PROGRAM_NONE', 'Cannot attach the object: it has no XDP program', {
      programs: [...object.programs.keys()],
    });
  }
  // Whatever dispatcher they end up in, the kernel verifies them against a function of one now.
  using model = loadDispatcher({
    version: 2,
    frags: false,
    slots: [{ priority: 0, chainCallActions: 0, frags: false }],
  });
  const dispatcher = model.program(DISPATCHER_PROGRAM);
  const restores = specs.map((spec) => makeExtension(spec));
  try {
    const attachTo = new Map([
      ...(options.attachTo ?? []),
      ...specs.map(({ name }) => [name, dispatcher] as const),
    ]);
    return Collection.load(object, { ...options, attachTo });
  } catch (error) {
    throw explainLoad(error, specs);
  } finally {
    for (const restore of restores) restore();
  }
}

/** The flag for packets of several buffers is the dispatcher's: the kernel refuses it on extensions. */
function makeExtension(spec: ProgramSpec): () => void {
  const { type, attachType, attachesToBtf, attachTarget, frags } = spec;
  Object.assign(spec, {
    type: BPF_PROG_TYPE_EXT,
    attachType: 0,
    attachesToBtf: true,
    attachTarget: 'prog0',
    frags: false,
  });
  return () => {
    Object.assign(spec, { type, attachType, attachesToBtf, attachTarget, frags });
  };
}

function explainLoad(error: unknown, specs: readonly ProgramSpec[]): unknown {
  return explainRefusal(error, `load ${specs.map(({ name }) => name).join(' and ')} for an XDP dispatcher`);
}
