import { surveyFeatures } from '../../inspect/index.ts';
import { RouteSocket, interfaceByName } from '../../netlink/index.ts';
import { ExitCode, UsageError } from '../exit-code.ts';
import type { Output } from '../output/output.ts';
import { Words } from '../words.ts';
import { featureDocument } from './document.ts';
import { featureText } from './text.ts';

/** Asks this kernel, or the driver of a network card, what it has. */
export async function runFeatureProbe(given: readonly string[], output: Output): Promise<number> {
  const words = new Words(given, 'feature probe');
  const ofKernel = words.takeIf('kernel');
  const { flags, values } = words.takeOptions({ flags: ['full', 'unprivileged'], values: ['dev'] });
  const device = values.get('dev');
  if (ofKernel && device !== undefined)
    throw new UsageError('feature probe takes kernel or dev INTERFACE, not both');
  const findings = surveyFeatures({
    device: device === undefined ? undefined : indexOf(device),
    full: flags.has('full'),
    unprivileged: flags.has('unprivileged'),
  });
  const document = featureDocument(findings);
  output.result(document, featureText(findings));
  await output.flush();
  return ExitCode.Done;
}

function indexOf(name: string): number {
  using socket = RouteSocket.open();
  return interfaceByName(socket, name).index;
}
