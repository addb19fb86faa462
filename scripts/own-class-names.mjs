// esbuild makes `var Name = class _Name {` of a class that speaks of itself, at the top level of what it bundles, so that
// engines need not check whether it is there yet; no target or option of it keeps that (only keepNames, which calls a function
// for every other one while the module loads). Stack traces, inspect() and constructor.name would then say `_Name`.

const HEAD = /(?<![\w$.])([\w$]+) ?= ?class _(\w+)(?![\w$])/g;

/**
 * Such classes under their own names. A space stands for what goes, so that the source map stays right. Nothing of ours
 * begins with an underscore, and esbuild gives the name to nothing else.
 */
export function withOwnClassNames(text) {
  let result = text;
  for (const [, variable, name] of text.matchAll(HEAD)) {
    // Another class has the name in this file: within this one it could be meant.
    if (variable !== name) throw new Error(`Cannot join modules: there are two of the name ${name}`);
    result = result.replace(new RegExp(`(?<![\\w$.#])_${name}(?![\\w$])`, 'g'), ` ${name}`);
  }
  if (/class _/.test(result)) throw new Error('Cannot join modules: a class has no name of its own');
  return result;
}
