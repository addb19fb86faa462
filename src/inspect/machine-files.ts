import { readFileSync, statSync } from 'node:fs';

/** Where facts about the machine are read, so that a test can put another machine in its place. */
export interface MachineFiles {
  /** The text without white space around it; undefined where the file is absent or may not be read. */
  read(path: string): string | undefined;
  /** Bytes; undefined where the file is absent. */
  size(path: string): number | undefined;
}

/** /proc and /sys of this machine. */
export const machineFiles: MachineFiles = {
  read: (path) => optional(() => readFileSync(path, 'utf8').trim()),
  size: (path) => optional(() => statSync(path).size),
};

/** Which of these files exist and may be read depends on the kernel's configuration and on who asks. */
function optional<Value>(look: () => Value): Value | undefined {
  try {
    return look();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return undefined;
  }
}
