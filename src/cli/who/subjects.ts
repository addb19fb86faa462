import { fullProgramName, openMaps, openPrograms, type Held } from '../../inspect/index.ts';
import { openLinkById, openPinnedLink, readLinkInfo } from '../../link/index.ts';
import { NotFoundError, SyscallError } from '../../errors.ts';
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
export function findSubjects(word: string, selector: string): Subject[] {
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

function findLink(selector: string): Subject {
  const isId = /^\d{1,10}$/.test(selector) && Number(selector) <= 0xffff_ffff;
  if (!isId && !selector.includes('/'))
    throw new UsageError(`${selector} is no link: give its id or the path of a pin`);
  try {
    using fd = isId ? openLinkById(Number(selector)) : openPinnedLink(selector);
    return { kind: 'link', id: readLinkInfo(systemKernel(), fd).id, name: undefined };
  } catch (error) {
    if (!(error instanceof SyscallError && error.errnoName === 'ENOENT')) throw error;
    const message = `Cannot find link ${selector}: the kernel has none of that id`;
    throw new NotFoundError('LINK_NOT_FOUND', selector, message, { cause: error });
  }
}
