import { ObjectFile } from '../../elf/index.ts';
import { TsXdpError } from '../../errors.ts';
import { NetworkNamespace } from '../../sys/index.ts';
import { Scope, Session, type LoadChoice, type StreamedEvent } from '../../repl/index.ts';
import type { CommandInput } from '../command.ts';
import { UsageError } from '../exit-code.ts';
import { errorText } from '../output/error-report.ts';
import type { Output } from '../output/output.ts';
import { resolveObject } from '../shipped-object.ts';
import { followPrompt, followScript } from './follow.ts';

interface ReplOptions {
  readonly iface: readonly string[];
  readonly prog?: string;
  readonly netns?: string;
}

/** `ts-xdp repl`: a prompt where both ends are a terminal, otherwise a script on standard input. */
export async function runRepl(input: CommandInput, output: Output): Promise<number> {
  const [name] = input.arguments as [string | undefined];
  const options = input.options as unknown as ReplOptions;
  if (name === undefined && (options.iface.length > 0 || options.prog !== undefined)) {
    throw new UsageError('--iface and --prog go with an object: ts-xdp repl OBJECT --iface NAME');
  }
  const netns = options.netns === undefined ? undefined : NetworkNamespace.open(options.netns);
  try {
    // Until a prompt or a script takes over, an event has nobody to be shown to.
    const listeners = {
      event: (_event: StreamedEvent): void => undefined,
      note: (text: string) => {
        output.note(text);
      },
    };
    const session = new Session({
      openObject: (object) => openObject(object, output),
      netns,
      onEvent: (event) => {
        listeners.event(event);
      },
      note: (text) => {
        listeners.note(text);
      },
    });
    try {
      if (name !== undefined) start(session, { name, choice: options, output });
      const scope = new Scope(session);
      try {
        const interactive = process.stdin.isTTY && process.stdout.isTTY && !output.json;
        return await (interactive ? followPrompt : followScript)({ session, scope, listeners, output });
      } finally {
        scope.close();
      }
    } finally {
      session.close();
    }
  } finally {
    netns?.close();
  }
}

/**
 * Loads the object and attaches it where that was asked for. Without an interface, an object that the kernel refuses is
 * still there to be looked at, which is most of what a person without privileges can do.
 */
function start(
  session: Session,
  { name, choice, output }: { name: string; choice: LoadChoice & ReplOptions; output: Output },
): void {
  const object = session.read(name);
  if (choice.prog !== undefined) object.program(choice.prog);
  try {
    session.loadObject(choice);
  } catch (error) {
    if (choice.iface.length > 0 || !(error instanceof TsXdpError)) throw error;
    output.note(
      errorText(error, { verbose: false })
        .replace(/^error: /, 'note: ')
        .trimEnd(),
    );
    output.note(
      `note: ${object.name} is not loaded: object, programs, maps and variables are what the file says`,
    );
  }
}

function openObject(name: string, output: Output): ObjectFile {
  const { path, shipped } = resolveObject(name);
  if (shipped) output.note(`note: there is no ${name} here; using the one that comes with ts-xdp`);
  return ObjectFile.open(path);
}
