import type { Collection } from '../../loader/index.ts';
import type { SnifferConfiguration, SnifferMaps } from '../../sniffer/index.ts';
import type { NetworkNamespace } from '../../sys/index.ts';
import type { Output } from '../output/output.ts';
import type { Target } from './interfaces.ts';
import type { LoadCommandOptions } from './options.ts';
import type { ProgramSelection } from './select-programs.ts';

/** Everything that is settled once the object is in the kernel. */
export interface LoadedContext {
  readonly collection: Collection;
  readonly selection: ProgramSelection;
  readonly targets: readonly Target[];
  readonly options: LoadCommandOptions;
  readonly configuration: SnifferConfiguration | undefined;
  readonly netns: NetworkNamespace | undefined;
  readonly pinDirectory: string | undefined;
  readonly output: Output;
}

/** What a stream of events needs, before its program is attached. */
export interface StreamContext extends LoadedContext {
  /** Undefined for an object that is no sniffer. */
  readonly maps: SnifferMaps | undefined;
}
