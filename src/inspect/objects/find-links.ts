import { ArgumentError, NotFoundError } from '../../errors.ts';
import { linkInfo, openPinnedLink, type LinkInfo } from '../../link/index.ts';
import { mapObjects, openIfThere, type Fd, type Kernel } from '../../sys/index.ts';
import { selectorText, type Selector } from './selector.ts';

/** Every bpf_link in the kernel, by id. Needs CAP_SYS_ADMIN. Linux 5.8. @throws PermissionError, SyscallError */
export function listLinks(kernel: Kernel): LinkInfo[] {
  return mapObjects(kernel, 'link', (fd) => linkInfo(kernel, fd));
}

/**
 * Opens the link that a person means: an id, or the path of a pin (with a `/` in it). Links have no names and tags.
 *
 * @throws NotFoundError (LINK_NOT_FOUND, PIN_NOT_FOUND), ArgumentError, PermissionError, SyscallError
 */
export function openLink(kernel: Kernel, selector: Selector): Fd {
  const { by, value } =
    typeof selector === 'string'
      ? { by: selector.includes('/') ? 'pinned' : 'id', value: selector }
      : selector;
  if (by === 'pinned') return openPinnedLink(value, kernel);
  const text = selectorText(selector);
  if (by !== 'id' || !/^\d+$/.test(value) || Number(value) > 0xffff_ffff)
    throw new ArgumentError('link', `Cannot find link ${text}: links are known by id and by pin alone`);
  const fd = openIfThere(kernel, 'link', Number(value));
  if (fd !== undefined) return fd;
  throw new NotFoundError(
    'LINK_NOT_FOUND',
    value,
    `Cannot find link ${text}: the kernel has none of that id`,
  );
}
