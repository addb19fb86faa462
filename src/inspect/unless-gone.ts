/** Processes, files and mounts that go away meanwhile, or that this process may not look at. */
const GONE: readonly string[] = ['ENOENT', 'ESRCH', 'EACCES', 'EPERM', 'ENOTDIR', 'EINVAL'];

/** What was read of something that others may end at any time; undefined where it is gone or not to be seen. */
export function unlessGone<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch (error) {
    if (GONE.includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}
