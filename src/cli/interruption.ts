/** Resolves at SIGINT or SIGTERM, or after some milliseconds where they are given. */
export async function interruption({ duration }: { duration?: number | undefined }): Promise<void> {
  await new Promise<void>((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      process.off('SIGINT', finish).off('SIGTERM', finish);
      resolve();
    };
    // Without a time of its own it is there to keep the process, which a listener for signals does not.
    const timer =
      duration === undefined ? setInterval(() => undefined, 60_000) : setTimeout(finish, duration);
    process.on('SIGINT', finish).on('SIGTERM', finish);
  });
}
