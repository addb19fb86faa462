/** Arguments of global functions that are tagged as the context, on kernels before Linux 6.8, which do not know the tag. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { Btf, rawText } from '../../src/btf/index.ts';
import { Feature, isSupported } from '../../src/features/index.ts';
import { Collection, ObjectFile } from '../../src/index.ts';
import { BPF_PROG_LOAD, bpf_attr_prog_load } from '../../src/uapi/index.ts';
import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import { isKernelBefore } from '../helpers/lacking.ts';
import { openDescriptors } from '../helpers/open-descriptors.ts';
import { PartialKernel } from '../helpers/partial-kernel.ts';
import { inProject } from '../helpers/project-root.ts';
import { thrown } from '../helpers/thrown.ts';

const missing = process.getuid?.() === 0 ? whyNotCompile() : 'loading programs needs root';
if (missing !== false) {
  t.plan(0, missing);
  process.exit(0);
}

const compiler = new Compiler();
t.teardown(() => {
  compiler.close();
});
const path = compiler.fixture('context-arguments');
if (ObjectFile.open(path).btf?.find('arg:ctx', 'decl_tag') === undefined) {
  t.plan(0, 'this clang keeps no tags of arguments: it takes clang 16');
  process.exit(0);
}
const before = openDescriptors();

/** The running kernel, but that it never sees the tags: from then on it goes by types, as before Linux 6.8. */
class WithoutTags extends PartialKernel {
  /** The largest BTF that was brought. */
  btf = new Uint8Array(0);
  /** By program: instruction and type of each of its functions. */
  readonly functions = new Map<string, readonly number[]>();
  readonly #buffers = new Map<bigint, Uint8Array>();

  constructor() {
    super([], 0);
  }

  override addressOf(bytes: Uint8Array): bigint {
    const address = super.addressOf(bytes);
    this.#buffers.set(address, bytes);
    if (bytes[0] === 0x9f && bytes[1] === 0xeb) {
      if (bytes.length > this.btf.length) this.btf = bytes.slice();
      const at = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf('\0arg:ctx\0');
      if (at >= 0) bytes[at + 1] = 'A'.charCodeAt(0);
    }
    return address;
  }

  override bpf(command: number, attribute: Uint8Array): number {
    if (command === BPF_PROG_LOAD) {
      const padded = new Uint8Array(bpf_attr_prog_load.size);
      padded.set(attribute.subarray(0, padded.length));
      const { prog_name, func_info, func_info_cnt } = bpf_attr_prog_load.decode(padded);
      const records = this.#buffers.get(func_info);
      const words = records ? new Uint32Array(records.slice().buffer) : new Uint32Array(0);
      this.functions.set(prog_name, [...words.subarray(0, func_info_cnt * 2)]);
    }
    return super.bpf(command, attribute);
  }
}

/** Added types are numbered from `+1`, the others are left out: what they are is up to the compiler. */
function addedTypes(bytes: Uint8Array, first: number): string[] {
  const btf = Btf.parse(bytes);
  return [...btf.ids()]
    .filter((id) => id >= first)
    .map((id) =>
      rawText(btf, id)
        .replace(/\[(\d+)\]|type_id=(\d+)/g, (text, own?: string, id?: string) => {
          const number = Number(own ?? id) - first + 1;
          return number > 0 ? text.replace(/\d+/, `+${number}`) : text.replace(/\d+/, 'N');
        })
        .replace(/\s+/g, ' ')
        .trim(),
    );
}

const { btf } = ObjectFile.open(path);
const first = btf?.typeCount ?? 0;
const idOf = (name: string): number => btf?.find(name, 'function') ?? 0;

t.test('functions are replaced as libbpf 1.7 replaces them', (t) => {
  const kernel = new WithoutTags();
  Collection.load(ObjectFile.open(path), { kernel }).close();
  const expected = readFileSync(inProject('test/fixtures/loader/context-arguments.libbpf.txt'), 'utf8');
  t.same(addedTypes(kernel.btf, first), expected.trim().split('\n'));
  const types = new Map([...kernel.functions].map(([name, words]) => [name, words.filter((_, i) => i % 2)]));
  t.same(types.get('classifier'), [
    idOf('classifier'),
    first + 1,
    first + 6,
    idOf('canonical'),
    idOf('not_global'),
  ]);
  t.same(types.get('express'), [idOf('express'), first + 9]);
  t.same(types.get('raw_tracepoint'), [idOf('raw_tracepoint'), first + 14]);
  t.same(types.get('event'), [idOf('event'), first + 19]);
  t.end();
});

t.test('the programs run', (t) => {
  const kernel = new WithoutTags();
  t.notOk(isSupported(Feature.ContextArguments, { kernel }), 'it is as if the kernel did not know the tag');
  using collection = Collection.load(ObjectFile.open(path), { kernel });
  t.same(collection.warnings, []);
  const data = new Uint8Array(64);
  t.equal(collection.program('classifier').testRun({ data }).returnValue, 0);
  t.equal(collection.program('express').testRun({ data }).returnValue, 1);
  t.end();
});

t.test('an argument that can be no context is told, and stays', (t) => {
  const kernel = new WithoutTags();
  const error = thrown(() => Collection.load(ObjectFile.open(path), { kernel, programs: ['refused'] }));
  t.equal(error.code, 'VERIFIER_REFUSED');
  t.same(error.warnings, [
    'argument 0 of unfit is tagged as the context, and for program refused it would have to be a pointer to struct __sk_buff',
  ]);
  t.end();
});

t.test(
  'a kernel that knows the tag gets the types as they are',
  { skip: isKernelBefore('6.8') && 'this one is older' },
  (t) => {
    t.ok(isSupported(Feature.ContextArguments));
    using collection = Collection.load(ObjectFile.open(path));
    t.equal(collection.program('classifier').testRun({ data: new Uint8Array(64) }).returnValue, 0);
    t.end();
  },
);

t.test(
  'one that is older runs the programs',
  { skip: !isKernelBefore('6.8') && 'this one is newer' },
  (t) => {
    t.notOk(isSupported(Feature.ContextArguments));
    using collection = Collection.load(ObjectFile.open(path));
    t.equal(collection.program('classifier').testRun({ data: new Uint8Array(64) }).returnValue, 0);
    t.equal(collection.program('express').testRun({ data: new Uint8Array(64) }).returnValue, 1);
    t.end();
  },
);

t.test('nothing stays open', (t) => {
  t.same(openDescriptors(), before);
  t.end();
});
