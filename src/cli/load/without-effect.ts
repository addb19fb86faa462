import type { ObjectFile } from '../../elf/index.ts';
import type { AttachOptions } from '../../loader/index.ts';
import type { LoadCommandOptions } from './options.ts';
import type { ProgramSelection } from './select-programs.ts';

/**
 * Which of the given options nothing of the object heeds. They are no error: one command line may be for several objects. A
 * sniffer's maps are filled by its interfaces, whatever is attached there.
 */
export function optionsWithoutEffect(
  options: LoadCommandOptions,
  { object, selection }: { object: ObjectFile; selection: ProgramSelection },
): string[] {
  const { xdp, dispatched, others } = selection;
  const onXdp = xdp !== undefined || dispatched.length > 0;
  const heeded = new Set<keyof AttachOptions>(others.flatMap(({ plan }) => [...plan.heeded]));
  if (onXdp || object.maps.has('iface_configs')) heeded.add('interfaces').add('netns');
  const sharesMaps = [...object.maps.values()].some(({ pinByName }) => pinByName);
  const given: Given[] = [
    ['--iface', options.iface.length > 0, heeded.has('interfaces')],
    ['--netns', options.netns !== undefined, heeded.has('netns')],
    ['--cgroup', options.cgroup !== undefined, heeded.has('cgroup')],
    ['--pid', options.pid !== undefined, heeded.has('pid')],
    ...targetsWithoutEffect(options, selection),
    ['--mode', options.mode !== undefined, onXdp],
    ['--via', options.via !== undefined, xdp !== undefined || heeded.has('via')],
    ['--replace', options.replace === true, xdp !== undefined],
    ['--pin-root', options.pinRoot !== undefined, sharesMaps],
  ];
  return given.flatMap(([flag, isGiven, isHeeded]) => (isGiven && !isHeeded ? [flag] : []));
}

type Given = [flag: string, isGiven: boolean, isHeeded: boolean];

/** Each of several is named by its value. */
function targetsWithoutEffect({ target }: LoadCommandOptions, { unusedTargets }: ProgramSelection): Given[] {
  if (target.length === unusedTargets.length) return [['--target', target.length > 0, false]];
  return unusedTargets.map((one) => [`--target ${one}`, true, false]);
}
