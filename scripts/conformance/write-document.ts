import { writeFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';
import { renderDocument } from './document.ts';
import type { Measure } from './measure.ts';

const DOCUMENT = 'docs/conformance.md';

export async function writeDocument(measures: readonly Measure[]): Promise<void> {
  const style = await resolveConfig(DOCUMENT);
  writeFileSync(DOCUMENT, await format(renderDocument(measures), { ...style, filepath: DOCUMENT }));
  process.stderr.write(`${DOCUMENT} is written\n`);
}
