/** A command line that is refused, and all that it must say. */
import type { Test } from 'tap';
import { STACK } from './cli.ts';
import { runHosted } from './command-host.ts';

export interface Refusal {
  name: string;
  args: readonly string[];
  exit: number;
  /** Of the JSON document, all of it. */
  error: { message: string; hint?: string; object?: string; [fact: string]: unknown };
  /** Lines of standard error in text mode. @default the message and the hint */
  text?: string[];
}

/** Runs it twice, for people and with --json. */
export async function checkRefusal(t: Test, { args, exit, error, text }: Refusal): Promise<void> {
  const [command = '', ...rest] = args;
  const [plain, json] = await Promise.all([runHosted(args), runHosted([command, '--json', ...rest])]);
  t.equal(plain.code, exit, plain.stderr);
  t.equal(plain.stdout, '', 'nothing but data on standard output');
  const { message, hint } = error;
  const place = error.object === undefined ? '' : `${error.object}: `;
  const hints = hint === undefined ? [] : [`hint: ${hint}`];
  const wanted = text ?? [`error: ${place}${message}`, ...hints];
  t.same(
    plain.stderr.split('\n').filter((line) => line !== ''),
    wanted,
  );
  t.notMatch(plain.stderr, STACK);
  t.equal(json.code, exit);
  t.equal(json.stderr, '', 'nothing beside the document');
  t.equal(json.stdout.split('\n').length, 2, 'one JSON document on one line');
  t.same(JSON.parse(json.stdout), { error });
}
