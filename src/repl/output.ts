import type { Json } from '../btf/index.ts';

/** Where a script's results go. */
export interface ReplOutput {
  /** Lines are JSON. */
  readonly json: boolean;
  result(document: Json, text: string): void;
  /** What a line threw; lines count from 1. */
  failure(error: unknown, place: { line: number }): void;
}
