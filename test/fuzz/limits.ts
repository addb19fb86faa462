/** What one input may cost. */
export const LIMITS = {
  /** Milliseconds. */
  time: 1000,
  /** Bytes above what the process has before its first input. */
  memory: 256 * 1024 * 1024,
  /** Milliseconds on one input after which its process is ended. */
  hang: 10_000,
} as const;
