import {
  fullProgramName,
  openLink,
  openMaps,
  openPrograms,
  selectorText,
  type Held,
  type Selector,
} from '../../inspect/index.ts';
import { readLinkInfo } from '../../link/index.ts';
import { systemKernel } from '../../sys/index.ts';
import { UsageError } from '../exit-code.ts';

/** What a person means, and what it is called; a link has no name. */
export interface Subject extends Held {
  readonly name: string | undefined;
}

const kinds = { prog: 'program', program: 'program', map: 'map', link: 'link' } as const;

export function isKind(word: string | undefined): word is keyof typeof kinds {
  return word !== undefined && Object.hasOwn(kinds, word);
}

/**
 * Looks up what is meant; nothing stays open. Several programs or maps may have one name or tag.
 *
 * @throws UsageError, NotFoundError, PermissionError, SyscallError
 */
export function findSubjects(word: string, selector: Selector): Subject[] {
  if (!isKind(word)) throw new UsageError(`${word} is none of prog, map and link`);
  const kind = kinds[word];
  if (kind === 'link') return [findLink(selector)];
  const kernel = systemKernel();
  if (kind === 'program') {
    return openPrograms(kernel, selector).map((program) => {
      using open = program;
      return { kind, id: open.id, name: fullProgramName(kernel, open.fd) };
    });
  }
  return openMaps(kernel, selector).map((map) => {
    using open = map;
    return { kind, id: open.info().id, name: open.name };
  });
}

function findLink(selector: Selector): Subject {
  const kernel = systemKernel();
  const isName =
    typeof selector === 'string'
      ? !/^\d+$/.test(selector) && !selector.includes('/')
      : selector.by === 'name' || selector.by === 'tag';
  if (isName) throw new UsageError(`${selectorText(selector)} is no link: give its id or the path of a pin`);
  using fd = openLink(kernel, selector);
  return { kind: 'link', id: readLinkInfo(kernel, fd).id, name: undefined };
}
