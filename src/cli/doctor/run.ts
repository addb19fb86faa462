import { inspectMachine } from '../../inspect/index.ts';
import type { MachineVerdict } from '../../inspect/index.ts';
import type { Kernel } from '../../sys/index.ts';
import { ExitCode } from '../exit-code.ts';
import type { Output } from '../output/output.ts';
import { doctorDocument } from './document.ts';
import { doctorText } from './text.ts';

export interface DoctorOptions {
  /** Names of interfaces; without any, all that are up are looked at. */
  readonly iface?: readonly string[] | undefined;
  /** @default the running one */
  readonly kernel?: Kernel | undefined;
}

/** Prints what this machine can do. Gives 0 where the main job can run, 3 where only a permission is missing, else 4. */
export async function runDoctor({ iface, kernel }: DoctorOptions, output: Output): Promise<number> {
  const findings = inspectMachine({ interfaces: iface, kernel });
  output.result(doctorDocument(findings), doctorText(findings, { colors: wantsColors() }));
  await output.flush();
  return exitCode(findings.verdict);
}

function exitCode({ obstacle }: MachineVerdict): number {
  switch (obstacle) {
    case undefined:
      return ExitCode.Done;
    case 'permission':
      return ExitCode.NotPermitted;
    case 'unsupported':
      return ExitCode.Unsupported;
  }
}

/** See no-color.org: any value but the empty one switches colours off. */
function wantsColors(): boolean {
  return process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '';
}
