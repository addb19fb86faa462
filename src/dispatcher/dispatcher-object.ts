import { fileURLToPath } from 'node:url';
import { UnsupportedFeatureError, VerifierError } from '../errors.ts';
import { ObjectFile } from '../elf/index.ts';
import { Collection } from '../loader/index.ts';
import {
  encodeConfiguration,
  type DispatcherConfiguration,
  type DispatcherVersion,
} from './configuration.ts';

/** The name that every tool knows a dispatcher by. */
export const DISPATCHER_PROGRAM = 'xdp_dispatcher';

const FILES: Readonly<Record<DispatcherVersion, string>> = {
  1: 'xdp-dispatcher-v1.bpf.o',
  2: 'xdp-dispatcher.bpf.o',
};

/**
 * Loads a dispatcher, with nothing in its slots yet. The caller's to close; attached, its program stays.
 *
 * @throws PermissionError; UnsupportedFeatureError where the kernel verifies no global functions (Linux 5.6)
 */
export function loadDispatcher(configuration: DispatcherConfiguration): Collection {
  const path = fileURLToPath(new URL(`../../bpf/${FILES[configuration.version]}`, import.meta.url));
  const object = ObjectFile.open(path);
  object.map('.rodata').contents = encodeConfiguration(configuration);
  object.program(DISPATCHER_PROGRAM).frags = configuration.frags;
  try {
    return Collection.load(object);
  } catch (error) {
    if (!(error instanceof VerifierError)) throw error;
    const why = 'this kernel does not verify functions of their own accord (since Linux 5.6)';
    throw new UnsupportedFeatureError('global functions', '5.6', `Cannot load the XDP dispatcher: ${why}`, {
      cause: error,
    });
  }
}
