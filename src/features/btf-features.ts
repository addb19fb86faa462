import { BtfBuilder } from '../btf/index.ts';
import type { BtfType } from '../btf/index.ts';
import type { Kernel } from '../sys/index.ts';
import { bpf_attr_btf_load } from '../uapi/index.ts';
import { canOpen } from './attempt.ts';
import type { Feature } from './feature.ts';

/** Has id 1 in every one of these. */
export const integer: BtfType = {
  kind: 'int',
  name: 'int',
  size: 4,
  bits: 32,
  offset: 0,
  signed: true,
  char: false,
  bool: false,
};
const prototype: BtfType = { kind: 'function_proto', returnTypeId: 0, parameters: [], variadic: false };
const variable: BtfType = { kind: 'variable', name: 'x', typeId: 1, linkage: 'static' };

/** A feature that shows in loading BTF with these types after `int`. */
function btfFeature(name: string, facts: { minKernel: string; types: readonly BtfType[] }): Feature {
  const probe = (kernel: Kernel): boolean => {
    const builder = new BtfBuilder();
    for (const type of [integer, ...facts.types]) builder.add(type);
    const btf = builder.build();
    return canOpen(kernel, {
      command: 'BPF_BTF_LOAD',
      attribute: bpf_attr_btf_load,
      fields: { btf: kernel.addressOf(btf), btf_size: btf.length },
      keep: [btf],
      subject: name,
    });
  };
  return { name, minKernel: facts.minKernel, probe };
}

export const btf = btfFeature('BTF', { minKernel: '4.18', types: [] });

export const btfFunctions = btfFeature('BTF of functions', {
  minKernel: '5.0',
  types: [prototype, { kind: 'function', name: 'f', typeId: 2, linkage: 'static' }],
});

export const btfGlobalFunctions = btfFeature('BTF of global functions', {
  minKernel: '5.6',
  types: [prototype, { kind: 'function', name: 'f', typeId: 2, linkage: 'global' }],
});

export const btfDataSections = btfFeature('BTF of data sections', {
  minKernel: '5.2',
  types: [
    variable,
    { kind: 'datasec', name: '.data', size: 4, variables: [{ typeId: 2, offset: 0, size: 4 }] },
  ],
});

/** The kernel's own objects name sections of programs and maps that are left out unless asked for so. */
export const btfQuestionMarkSections = btfFeature('BTF of sections whose names begin with "?"', {
  minKernel: '6.9',
  types: [
    variable,
    { kind: 'datasec', name: '?.data', size: 4, variables: [{ typeId: 2, offset: 0, size: 4 }] },
  ],
});

export const btfFloat = btfFeature('BTF of floating-point types', {
  minKernel: '5.13',
  types: [{ kind: 'float', name: 'float', size: 4 }],
});

export const btfDeclTag = btfFeature('BTF declaration tags', {
  minKernel: '5.16',
  types: [variable, { kind: 'decl_tag', name: 'tag', attribute: false, typeId: 2, componentIndex: -1 }],
});

export const btfTypeTag = btfFeature('BTF type tags', {
  minKernel: '5.17',
  // A tag stands between a pointer and what it points to.
  types: [
    { kind: 'type_tag', name: 'tag', attribute: false, typeId: 1 },
    { kind: 'pointer', typeId: 2 },
  ],
});

export const btfEnum64 = btfFeature('BTF of 64-bit enums', {
  minKernel: '6.0',
  types: [{ kind: 'enum64', name: 'e', size: 8, signed: false, values: [{ name: 'E', value: 1n << 40n }] }],
});
