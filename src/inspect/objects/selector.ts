/** The kernel keeps 15 characters of a name and a NUL (`BPF_OBJ_NAME_LEN`). */
export const LONGEST_NAME = 15;

/**
 * What a person calls something in the kernel by. A bare text is an id where it is a number, a pin where it has a `/` in it,
 * a tag where it looks like one and something has it, and otherwise a name.
 */
export type Selector = string | { readonly by: 'id' | 'name' | 'tag' | 'pinned'; readonly value: string };

/** As it is written: `id 7`. */
export function selectorText(selector: Selector): string {
  return typeof selector === 'string' ? selector : `${selector.by} ${selector.value}`;
}
