/**
 * Whether a name is what a pattern says, in which `*` is any run of characters and `?` one. Takes no longer than both
 * lengths multiplied, whatever the two are, where a regular expression with several `.*` tries every way to share out a name.
 */
export function matchesPattern(pattern: string, name: string): boolean {
  let [at, next] = [0, 0];
  let star: { readonly pattern: number; name: number } | undefined;
  while (at < name.length) {
    if (pattern[next] === '*') star = { pattern: ++next, name: at };
    else if (next < pattern.length && (pattern[next] === '?' || pattern[next] === name[at])) {
      at++;
      next++;
    } else if (star) {
      // The last star takes one more character: no earlier one has to, as what stands between them has been found already.
      at = ++star.name;
      next = star.pattern;
    } else return false;
  }
  while (pattern[next] === '*') next++;
  return next === pattern.length;
}
