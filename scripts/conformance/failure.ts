/** What ends a run with one line and no stack: something to install, to download, or to ask for differently. */
export class ConformanceFailure extends Error {
  override readonly name = 'ConformanceFailure';
}
