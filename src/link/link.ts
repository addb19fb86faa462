/** What every attachment of a program has in common. */
export interface Link {
  /** `xdp`, … */
  readonly kind: string;
  /** The id of the bpf_link; undefined for attachments that are none. */
  readonly id: number | undefined;
  /** Where it is attached, for people: `eth0`. */
  readonly target: string;
  readonly closed: boolean;
  /** Keeps the attachment in a bpf file system, beyond this process. @throws PinExistsError */
  pin(path: string): void;
  /** Ends the attachment, unless it is pinned. Idempotent. */
  close(): void;
  [Symbol.dispose](): void;
}
