import { TsXdpError } from '../../errors.ts';
import { Prompt, runScript, type Scope, type Session, type StreamedEvent } from '../../repl/index.ts';
import { ExitCode } from '../exit-code.ts';
import { errorDocument, errorText } from '../output/error-report.ts';
import type { Output } from '../output/output.ts';

export interface Following {
  readonly session: Session;
  readonly scope: Scope;
  readonly output: Output;
  /** Who gets the session's events and notes; whoever follows puts itself here. */
  readonly listeners: { event: (event: StreamedEvent) => void; note: (text: string) => void };
}

/**
 * Not SIGINT at a prompt: with a listener for it, Node loses the handler by which Ctrl-C ends what somebody typed
 * (vm removes listeners while a script runs, and with them the signal's disposition), and Ctrl-C ends the process.
 */
const PROMPT_SIGNALS = ['SIGTERM', 'SIGHUP'] as const;
const SCRIPT_SIGNALS = [...PROMPT_SIGNALS, 'SIGINT'] as const;

/** A prompt until the person leaves or a signal comes. */
export async function followPrompt({ session, scope, listeners, output }: Following): Promise<number> {
  output.note('ts-xdp: .help lists the commands, Tab completes, Ctrl-D leaves and detaches everything');
  for (const attachment of session.attachments) {
    output.note(`attached to ${attachment.target} (${attachment.mode} mode, by ${attachment.via})`);
  }
  const ends = endsFrom(output, PROMPT_SIGNALS);
  const prompt = new Prompt({
    session,
    scope,
    input: process.stdin,
    output: process.stdout,
    colors: process.stdout.hasColors(),
    environment: process.env,
  });
  listeners.event = (event) => {
    prompt.print(() => event.text());
  };
  listeners.note = (text) => {
    prompt.print(() => text);
  };
  const watch = watchUncaught((error) => {
    prompt.failure(error);
  });
  try {
    await Promise.race([prompt.left, ends.reached]);
    return ExitCode.Done;
  } finally {
    prompt.close();
    watch.close();
    ends.close();
  }
}

/** A script on standard input until its end, `.exit`, or a signal. */
export async function followScript({ session, scope, listeners, output }: Following): Promise<number> {
  let failures = 0;
  const failure = (error: unknown, { line }: { line: number | undefined }): void => {
    printFailure(error, { line, output });
  };
  listeners.event = (event) => {
    output.stream(event);
  };
  const watch = watchUncaught((error) => {
    failures++;
    failure(error, { line: undefined });
  });
  const ends = endsFrom(output, SCRIPT_SIGNALS);
  try {
    failures += await runScript({
      session,
      scope,
      input: process.stdin,
      signal: ends.signal,
      output: {
        json: output.json,
        result: (document, text) => {
          output.result(document, text);
        },
        failure,
      },
    });
    await output.flush();
    return failures > 0 ? ExitCode.Failed : ExitCode.Done;
  } finally {
    watch.close();
    ends.close();
  }
}

interface Ends {
  readonly signal: AbortSignal;
  readonly reached: Promise<void>;
  close(): void;
}

/** A signal, or a reader of standard output that went away. */
function endsFrom(output: Output, signals: readonly NodeJS.Signals[]): Ends {
  const controller = new AbortController();
  const end = (): void => {
    controller.abort();
  };
  for (const name of signals) process.on(name, end);
  output.onClosed(end);
  return {
    signal: controller.signal,
    reached: new Promise((resolve) => {
      controller.signal.addEventListener('abort', () => {
        resolve();
      });
    }),
    close() {
      for (const name of signals) process.off(name, end);
    },
  };
}

/** What was typed may leave timers and callbacks behind; what these throw is said, and the session goes on. */
function watchUncaught(onError: (error: unknown) => void): { close(): void } {
  process.on('uncaughtException', onError).on('unhandledRejection', onError);
  return {
    close() {
      process.off('uncaughtException', onError).off('unhandledRejection', onError);
    },
  };
}

function printFailure(error: unknown, { line, output }: { line: number | undefined; output: Output }): void {
  const place = line === undefined ? {} : { line };
  const ours = error instanceof TsXdpError;
  const message = ours
    ? error.message
    : error instanceof Error
      ? `${error.name}: ${error.message}`
      : String(error);
  if (output.json) {
    const document = ours ? errorDocument(error).error : { code: 'EVALUATION_FAILED', message };
    output.result({ error: { ...document, ...place } }, '');
    return;
  }
  const text = ours ? errorText(error, { verbose: false }).trimEnd() : `error: ${message}`;
  output.note(line === undefined ? text : `line ${String(line)}: ${text}`);
}
