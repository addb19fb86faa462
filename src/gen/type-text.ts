import { bitsOf, type EnumType, type Shape } from './shape.ts';

/** Up to so many elements an array is a tuple, whose length the compiler knows. */
export const LONGEST_TUPLE = 8;

/** The TypeScript type of a value. */
export function typeText(shape: Shape): string {
  switch (shape.kind) {
    case 'integer':
      return bitsOf(shape) > 32 ? 'bigint' : 'number';
    case 'boolean':
      return 'boolean';
    case 'float':
      return 'number';
    case 'text':
      return 'string';
    case 'bytes':
      return 'Uint8Array';
    case 'enum':
      return shape.type.name;
    case 'record':
      return shape.type.name;
    case 'array': {
      const element = typeText(shape.element.shape);
      if (shape.length >= 1 && shape.length <= LONGEST_TUPLE)
        return `[${Array.from({ length: shape.length }, () => element).join(', ')}]`;
      return `${element}[]`;
    }
    case 'bits':
      if (shape.of === 'boolean') return 'boolean';
      if (shape.of === 'integer') return shape.bits > 32 ? 'bigint' : 'number';
      return isWide(shape.of) === shape.bits > 32 ? shape.of.name : `keyof typeof ${shape.of.name} | number`;
  }
}

/** Whether values of an enum are bigints where it is no bitfield. */
export function isWide(type: EnumType): boolean {
  return type.size > 4;
}
