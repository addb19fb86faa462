import {
  descriptorHolders,
  findLinkPlaces,
  findPins,
  KernelSymbols,
  listLinks,
  openIfThere,
  openLink,
  type Selector,
} from '../../inspect/index.ts';
import { linkInfo, type LinkInfo } from '../../link/index.ts';
import { programTypeName, readProgramInfo } from '../../programs/index.ts';
import { systemKernel, type Kernel } from '../../sys/index.ts';
import { ExitCode } from '../exit-code.ts';
import type { Output } from '../output/output.ts';
import { Words } from '../words.ts';
import { linkDocument, type ShownLink } from './describe.ts';
import { linkText } from './text.ts';

export interface LinkShowOptions {
  /** Say where they are pinned. */
  readonly bpffs?: boolean;
  /** Say who holds them. */
  readonly pids?: boolean;
}

/** Lists the links in the kernel, or describes the one that is meant. */
export async function runLinkShow(
  given: readonly string[],
  options: LinkShowOptions,
  output: Output,
): Promise<number> {
  const words = new Words(given, 'link show');
  const selector = words.takeSelectorIfAny();
  words.end();
  const kernel = systemKernel();
  const links = selector === undefined ? listLinks(kernel) : [chosenLink(kernel, selector)];
  const shown = describeLinks(kernel, links, options);
  const documents = shown.map(linkDocument);
  const [first] = documents;
  output.result(
    selector !== undefined && first !== undefined ? first : documents,
    shown.map(linkText).join('\n'),
  );
  await output.flush();
  return ExitCode.Done;
}

function chosenLink(kernel: Kernel, selector: Selector): LinkInfo {
  using fd = openLink(kernel, selector);
  return linkInfo(kernel, fd);
}

/** Looks up once what all of them name by number. */
function describeLinks(
  kernel: Kernel,
  links: readonly LinkInfo[],
  { bpffs = false, pids = false }: LinkShowOptions,
): ShownLink[] {
  const pins = bpffs ? findPins(kernel, 'link') : undefined;
  const holders = pids ? descriptorHolders('link') : undefined;
  const places = findLinkPlaces(kernel, links);
  const addresses = links.flatMap((link) => (link.kind === 'kprobe_multi' ? link.addresses : []));
  const symbols = addresses.length === 0 ? new Map() : KernelSymbols.read().find(addresses);
  return links.map((info) => ({
    info,
    place: places.get(info.id),
    symbols,
    programType: info.kind === 'tracing' ? programTypeOf(kernel, info.programId) : undefined,
    pinned: pins && pins.size > 0 ? (pins.get(info.id) ?? []) : undefined,
    holders: holders && (holders.get(info.id) ?? []),
  }));
}

function programTypeOf(kernel: Kernel, id: number): string | undefined {
  using fd = openIfThere(kernel, 'program', id);
  return fd && programTypeName(readProgramInfo(kernel, fd).type);
}
