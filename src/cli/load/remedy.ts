import { shellWord } from '../output/shell-word.ts';
import type { LoadCommandOptions } from './options.ts';

/** The command that takes XDP programs off an interface, where the options of `load` said that it is: to be pasted into a shell. */
export function unloadInterface(
  name: string,
  { options, programId }: { options: Pick<LoadCommandOptions, 'netns'>; programId?: number },
): string {
  const words = ['ts-xdp', 'unload', '--iface', name];
  if (options.netns !== undefined) words.push('--netns', options.netns);
  if (programId !== undefined) words.push('--id', String(programId));
  return words.map(shellWord).join(' ');
}

/** Until when a program stays that no link holds. */
export function staysUntil(command: string, { detach }: Pick<LoadCommandOptions, 'detach'>): string {
  const when = detach === true ? '' : 'should this process be killed, ';
  return `${when}it stays attached until "${command}"`;
}
