// esbuild makes `var Name = class _Name {` of a class that speaks of itself, at the top level of what it bundles, so that
// engines need not check whether it is there yet; no target or option of it keeps that (only keepNames, which calls a function
// for every other one while the module loads). Stack traces, inspect() and constructor.name would then say `_Name`.

const HEAD = /^var (\w+) = class _(\w+) [^]*?^\};$/gm;

/** Such classes under their own names. A space stands for what goes, so that the source map stays right. */
export function withOwnClassNames(text) {
  const renamed = new Map();
  const result = text.replace(HEAD, (declaration, variable, name) => {
    // Another class has the name in this file: within this one it could be meant.
    if (variable !== name) throw new Error(`Cannot join modules: there are two of the name ${name}`);
    renamed.set(`_${name}`, name);
    return declaration.replace(new RegExp(`(?<![\\w$.#])_${name}(?![\\w$])`, 'g'), ` ${name}`);
  });
  const left = [...renamed.keys()].find((inner) =>
    new RegExp(`(?<![\\w$.#])${inner}(?![\\w$])`).test(result),
  );
  if (left !== undefined) throw new Error(`Cannot join modules: ${left} is meant outside of its class`);
  if (/^var \w+ = class _/m.test(result))
    throw new Error('Cannot join modules: a class has no end, or no name of its own');
  return result;
}
