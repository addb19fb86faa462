/** Where a guest finds the project. */
export const PROJECT = '/project';

/** And in it what tests compile, which the machine that boots the guest has made (test/helpers/clang.ts). */
export const COMPILED = `${PROJECT}/compiled`;
