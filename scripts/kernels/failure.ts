/** What ends a run with one line and no stack: something to install, to start, or to wait longer for. */
export class KernelRunFailure extends Error {
  override readonly name = 'KernelRunFailure';
}
