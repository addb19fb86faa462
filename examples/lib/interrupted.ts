/** Aborts at Ctrl-C and at `kill`, so that loops end in order and `using` detaches what was attached. */
export function interrupted(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      controller.abort();
    });
  }
  return controller.signal;
}

/** The first argument of the command line, or the end with the usage. */
export function firstArgument(usage: string): string {
  const [argument] = process.argv.slice(2);
  if (argument !== undefined) return argument;
  console.error(`usage: ${usage}`);
  process.exit(2);
}
