/**
 * What libbpf's rules say of pairs of types. The words tell what holds: the target's may be the type of the same
 * `field`; it may be the same `type`; it `matches`, having all that the program's has.
 */
import * as sketch from './type-sketch.ts';
import type { Sketch } from './type-sketch.ts';

const { array, constant, enumeration, enumeration64, float, forward, int, nothing } = sketch;
const { pointer, prototype, struct, typedef, union } = sketch;

export const u32 = int(32, { signed: false });
const pair = struct('pair', { a: int(32), b: int(64) });
const bigger = struct('pair', { a: int(32), b: int(64), c: int(8) });

export function deep(levels: number): Sketch {
  return levels === 0 ? int(8) : pointer(deep(levels - 1));
}

/** A sentence, the program's type, the target's, what holds. */
export const rules: readonly [string, Sketch, Sketch, string][] = [
  ['the same integers', int(32), int(32), 'field type matches'],
  ['integers of another size', int(32), int(64, { name: 'int32' }), 'field type'],
  ['integers of another sign', int(32), u32, 'field type'],
  ['integers of another name', int(32), int(32, { name: 'other' }), 'field type'],
  ['bitfields of old', int(32), int(32, { offset: 8 }), 'matches'],
  ['an integer and a pointer', int(64), pointer(nothing), ''],
  ['qualifiers and typedefs', constant(typedef('x', int(32))), int(32), 'field type matches'],
  ['floats of any size', float(4), float(8), 'field'],
  ['pointers to other things', pointer(int(32)), pointer(pair), 'field'],
  ['pointers to void', pointer(nothing), pointer(nothing), 'field type matches'],
  ['arrays of another length', array(int(32), 3), array(int(32), 4), 'field type'],
  ['arrays of other things', array(int(32), 3), array(float(4), 3), ''],
  ['arrays of arrays', array(array(int(32), 2), 3), array(array(int(64), 2), 3), 'field type'],
  ['structs of another name', pair, struct('other', {}), 'field type'],
  ['a struct and a union', pair, union('pair', {}), 'field'],
  ['a flavour of a struct', struct('pair___x', { a: int(32) }), pair, 'field type matches'],
  ['a struct with a member more', bigger, pair, 'field type'],
  ['a struct with a member less', struct('pair', { b: int(64) }), pair, 'field type matches'],
  ['a struct with a member of another type', struct('pair', { b: int(32) }), pair, 'field type'],
  ['a struct with a member of another name', struct('pair', { c: int(32) }), pair, 'field type'],
  [
    'anonymous members, any of which may match',
    struct('s', { ' 1': union('', { x: int(8) }) }),
    struct('s', { ' 1': union('', { y: int(8) }), ' 2': union('', { x: int(8) }) }),
    'field type matches',
  ],
  [
    'structs behind pointers by name alone',
    struct('s', { p: pointer(struct('pair', { z: int(8) })) }),
    struct('s', { p: pointer(pair) }),
    'field type matches',
  ],
  [
    'a struct behind a pointer and its declaration',
    pointer(pair),
    pointer(forward('pair', 'struct')),
    'field matches',
  ],
  [
    'a struct behind a pointer and a declaration of a union',
    pointer(pair),
    pointer(forward('pair', 'union')),
    'field',
  ],
  [
    'a declaration and the struct behind a pointer',
    pointer(forward('pair', 'struct')),
    pointer(pair),
    'field matches',
  ],
  ['a declaration and the struct itself', forward('pair', 'struct'), pair, ''],
  ['declarations', forward('pair', 'struct'), forward('pair', 'struct'), 'field type matches'],
  ['declarations of a struct and a union', forward('pair', 'struct'), forward('pair', 'union'), 'field type'],
  ['declarations of another name', forward('pair', 'struct'), forward('other', 'struct'), 'type'],
  [
    'enums with other values',
    enumeration('e', { A: 1 }),
    enumeration('e', { B: 1, A: 2 }),
    'field type matches',
  ],
  [
    'an enum with a name more',
    enumeration('e', { A: 1, C: 2 }),
    enumeration('e', { A: 1, B: 2 }),
    'field type',
  ],
  ['enums of another name', enumeration('e', { A: 1 }), enumeration('f', { A: 1 }), 'type'],
  ['enums of which one is anonymous', enumeration('e', { A: 1 }), enumeration('', { A: 1 }), 'field type'],
  ['enums of another size', enumeration('e', { A: 1 }), enumeration('e', { A: 1 }, 1), 'field type'],
  [
    'enums of 32 and 64 bits',
    enumeration('e', { A: 1 }, 8),
    enumeration64('e', { A: 1n }),
    'field type matches',
  ],
  [
    'callbacks',
    pointer(prototype(int(32), pointer(pair), u32)),
    pointer(prototype(int(32), pointer(pair), u32)),
    'field type matches',
  ],
  [
    'callbacks with a parameter more',
    pointer(prototype(int(32), u32, u32)),
    pointer(prototype(int(32), u32)),
    'field',
  ],
  [
    'callbacks with a parameter of another kind',
    pointer(prototype(int(32), u32)),
    pointer(prototype(int(32), pointer(pair))),
    'field',
  ],
  [
    'callbacks with a result of another size',
    pointer(prototype(int(32))),
    pointer(prototype(int(64))),
    'field type',
  ],
  [
    'callbacks of which one is variadic',
    pointer(prototype(int(32), u32, '...')),
    pointer(prototype(int(32), u32)),
    'field',
  ],
  ['pointers as deep as they are followed', deep(30), deep(30), 'field type matches'],
];
