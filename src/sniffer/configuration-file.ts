import type { SnifferConfiguration } from './configuration.ts';
import { readDeploymentForm } from './deployment-form.ts';
import { readInterfacesForm } from './interfaces-form.ts';
import { JsonObject, parseJson } from '../json/index.ts';

/**
 * Reads a configuration file in either form: `interfaces[]` with `filter{}`, or the original sniffer's own
 * `deployment{}` with `capture.filter{}`. Keys that start with `_` are comments.
 *
 * @param text The file's content.
 * @param file What to call it in errors.
 * @throws {@link ArgumentError} whose `argument` is the path of the first wrong value: `filter.excluded_ports[3]`.
 */
export function parseSnifferConfiguration(text: string, file: string): SnifferConfiguration {
  const root = new JsonObject(parseJson(text, file), { file, path: '' });
  const forms = ['interfaces', 'deployment'].filter((form) => root.has(form));
  if (forms.length === 2)
    throw root.error('deployment', 'is given together with interfaces; a file has one of them');
  if (forms.length === 0)
    throw root.error('interfaces', 'is missing, and so is deployment: no interface is named');
  return root.has('interfaces') ? readInterfacesForm(root) : readDeploymentForm(root);
}
