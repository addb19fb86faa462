/** What a fact of an error may be: anything JSON can carry, and bigint, which is printed as a decimal string. */
export type Fact =
  string | number | bigint | boolean | null | undefined | readonly Fact[] | { [name: string]: Fact };

/** What every error may carry besides its message. */
export interface ErrorContext {
  /** One sentence on what the reader can do about it. */
  hint?: string | undefined;
  cause?: unknown;
}

/** The base of every error that ts-xdp throws on purpose. */
export abstract class TsXdpError extends Error {
  abstract readonly code: string;
  readonly hint: string | undefined;
  /** What had gone wrong before and had stopped nothing by itself, such as BTF that the kernel refuses. */
  declare warnings?: readonly string[];

  constructor(message: string, context: ErrorContext = {}) {
    super(message, context.cause === undefined ? undefined : { cause: context.cause });
    this.name = new.target.name;
    this.hint = context.hint;
  }

  /** The fields that describe what happened, without message, hint and code. */
  facts(): Record<string, Fact> {
    const facts: Record<string, Fact> = {};
    for (const [name, value] of Object.entries(this)) {
      if (name === 'code' || name === 'hint' || name === 'name' || name === 'cause') continue;
      facts[name] = value as Fact;
    }
    return facts;
  }
}
