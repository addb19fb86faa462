import { ClosedError } from '../errors.ts';
import type { AttachedBy, Link } from './link.ts';
import { hold, letGo } from './live-links.ts';

/** Closes once, and is held until then. */
export abstract class Attachment implements Link {
  abstract readonly kind: string;
  abstract readonly via: AttachedBy;
  readonly target: string;
  #closed = false;

  constructor(target: string) {
    this.target = target;
    hold(this);
  }

  abstract get id(): number | undefined;
  abstract get attached(): boolean;
  abstract pin(path: string): void;
  /** Ends the attachment; called once. */
  protected abstract detach(): void;
  /** Gives this process's handles back and leaves the program attached as far as the kernel allows. */
  protected abstract letBe(): void;

  get closed(): boolean {
    return this.#closed;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    letGo(this);
    this.detach();
  }

  leave(): void {
    if (this.#closed) return;
    this.#closed = true;
    letGo(this);
    this.letBe();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  protected checkOpen(): void {
    if (this.#closed) throw new ClosedError(`the ${this.kind} attachment to ${this.target}`);
  }
}
