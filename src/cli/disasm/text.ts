import type { ListedFunction, ListedInstruction } from './listing.ts';

/** A function as text that `assemble()` takes: all but the instructions are comments. */
export function listingText(listing: ListedFunction, { source }: { source: boolean }): string {
  const lines = listing.instructions.flatMap((instruction) => [
    ...(source ? sourceComment(instruction) : []),
    instructionLine(instruction),
  ]);
  const place = listing.section === null ? [] : [`; section ${oneLine(listing.section)}`];
  return [...place, `${labelOf(listing.name)}:`, ...lines, ''].join('\n');
}

function sourceComment({ source }: ListedInstruction): string[] {
  if (!source) return [];
  return [`; ${oneLine(source.text)} @ ${oneLine(source.file)}:${source.line}`];
}

function instructionLine({ index, text, reference, core }: ListedInstruction): string {
  const remarks = [...(reference === null ? [] : [reference]), ...core].map(oneLine);
  const remark = remarks.length === 0 ? '' : `  // ${remarks.join(', ')}`;
  return `${String(index).padStart(6)}: ${text}${remark}`;
}

/** Names come from the file, and could otherwise end the comment that they stand in. */
function oneLine(text: string): string {
  return text.replace(/[\n\r]+/g, ' ');
}

/** Nothing keeps an object from having a function without a name. */
function labelOf(name: string): string {
  return name.replace(/[^\w.$]/g, '_') || '_';
}

/** The functions of a loaded program, which together assemble to its instructions. */
export function programText(
  {
    id,
    name,
    tag,
    functions,
  }: { id: number; name: string; tag: string; functions: readonly ListedFunction[] },
  options: { source: boolean },
): string {
  const heading = `; program ${id}${name === '' ? '' : ` ${oneLine(name)}`}, tag ${tag}`;
  return [heading, ...functions.map((listing) => listingText(listing, options))].join('\n');
}
