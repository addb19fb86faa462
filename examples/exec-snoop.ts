/**
 * Every program that is started on this machine, with its arguments, from the moment that exec(2) has succeeded.
 *
 *     exec-snoop.ts
 */
import { attachTracing } from 'ts-xdp';
import { load, type Exec } from './bpf/exec-snoop.ts';
import { interrupted } from './lib/interrupted.ts';

const decoder = new TextDecoder();

/** Arguments lie one after the other, each with a NUL at its end. */
function argumentsOf({ arguments: bytes, arguments_length: length }: Exec): string {
  const words = decoder.decode(bytes.subarray(0, length)).replace(/\0$/, '').split('\0');
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : JSON.stringify(word))).join(' ');
}

using snoop = load();
using _attachment = attachTracing(snoop.programs.on_exec);
const signal = interrupted();
console.log('    PID  PARENT   USER COMMAND          ARGUMENTS');
for await (const exec of snoop.events.execs.reader.events({ signal })) {
  const numbers = [exec.pid, exec.parent_pid].map((id) => String(id).padStart(7)).join(' ');
  console.log(`${numbers} ${String(exec.uid).padStart(6)} ${exec.command.padEnd(16)} ${argumentsOf(exec)}`);
}
const lost = snoop.variables.lost.get();
if (lost > 0n) console.error(`${lost.toString()} were lost: reading was slower than they came`);
