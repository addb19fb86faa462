import { CALL, EXIT } from '../asm/index.ts';
import { BtfBuilder } from '../btf/index.ts';
import * as uapi from '../uapi/index.ts';
import { btfDeclTag, integer } from './btf-features.ts';
import { isSupported, type Feature } from './feature.ts';
import { loadProbeTypes } from './probe-types.ts';
import { askVerifier } from './verifier-attempt.ts';

/** `BPF_LDX | BPF_MEM | BPF_W`. */
const LOAD_WORD = 0x61;

const subject = 'arguments of global functions that are tagged as the context';

/** A program that calls a global function, which reads a field of a context that only the tag says it has. */
export const contextArguments: Feature = {
  name: subject,
  minKernel: '6.8',
  probe: (kernel) => {
    if (!isSupported(btfDeclTag, { kernel })) return false;
    using types = loadProbeTypes(kernel, { subject, types: taggedTypes() });
    // Instruction and type, of each function.
    const functions = new Uint8Array(Uint32Array.of(0, PROGRAM, 2, FUNCTION).buffer);
    return askVerifier(kernel, {
      subject,
      instructions: [
        { opcode: CALL, source: uapi.BPF_PSEUDO_CALL, immediate: 1 },
        { opcode: EXIT },
        { opcode: LOAD_WORD, destination: 0, source: 1 },
        { opcode: EXIT },
      ],
      fields: {
        prog_type: uapi.BPF_PROG_TYPE_SOCKET_FILTER,
        prog_btf_fd: types.value,
        func_info_rec_size: 8,
        func_info_cnt: 2,
        func_info: kernel.addressOf(functions),
      },
      keep: [functions],
    }).loaded;
  },
};

const PROGRAM = 4;
const FUNCTION = 5;

function taggedTypes(): BtfBuilder {
  const builder = new BtfBuilder();
  builder.add(integer);
  const pointer = builder.add({ kind: 'pointer', typeId: 0 });
  const parameters = [{ name: 'context', typeId: pointer }];
  const prototype = builder.add({ kind: 'function_proto', returnTypeId: 1, parameters, variadic: false });
  for (const name of ['program', 'function'])
    builder.add({ kind: 'function', name, typeId: prototype, linkage: 'global' });
  builder.add({ kind: 'decl_tag', name: 'arg:ctx', attribute: false, typeId: FUNCTION, componentIndex: 0 });
  return builder;
}
