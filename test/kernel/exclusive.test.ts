/** Maps that one program alone may use, and programs that belong to a struct of functions. */
import t from 'tap';
import { Feature, isSupported } from '../../src/features/index.ts';
import { associateStructOps, Collection, ObjectFile } from '../../src/index.ts';
import type { LoadOptions } from '../../src/index.ts';
import { neededKernel } from '../../src/loader/index.ts';
import { BPF_MAP_CREATE, bpf_attr_map_create } from '../../src/uapi/index.ts';
import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import { isKernelBefore } from '../helpers/lacking.ts';
import { openDescriptors } from '../helpers/open-descriptors.ts';
import { PartialKernel } from '../helpers/partial-kernel.ts';
import { thrown } from '../helpers/thrown.ts';

const missing = process.getuid?.() === 0 ? whyNotCompile() : 'loading programs needs root';
if (missing !== false) {
  t.plan(0, missing);
  process.exit(0);
}

const compiler = new Compiler({ flags: ['-mcpu=v3'] });
t.teardown(() => {
  compiler.close();
});
const path = compiler.fixture('exclusive');
const before = openDescriptors();
const data = new Uint8Array(64);

function exclusive(options: LoadOptions, owner = 'owner'): Collection {
  const object = ObjectFile.open(path);
  object.map('secret').exclusiveProgram = owner;
  for (const name of ['first', 'second']) object.map(name).autocreate = false;
  return Collection.load(object, { programs: ['owner'], ...options });
}

const noExclusive =
  !isSupported(Feature.ExclusiveMaps) && isKernelBefore('6.18') && 'Linux 6.18 came with maps of one program';

t.test('a map of one program is used by that one', { skip: noExclusive }, (t) => {
  using collection = exclusive({});
  for (const sum of [3n, 6n]) {
    t.equal(collection.program('owner').testRun({ data }).returnValue, 0);
    t.equal(collection.map('secret').get(0), sum);
  }
  t.end();
});

t.test('and by no other', { skip: noExclusive }, (t) => {
  t.match(
    thrown(() => exclusive({ programs: ['stranger'] })),
    {
      code: 'VERIFIER_REFUSED',
      errnoName: 'EACCES',
    },
  );
  t.match(
    thrown(() => exclusive({}, 'stranger')),
    { code: 'VERIFIER_REFUSED', errnoName: 'EACCES' },
  );
  t.match(
    thrown(() => exclusive({}, 'nobody')),
    { code: 'PROGRAM_NOT_FOUND' },
  );
  t.end();
});

t.test('a kernel without such maps is named', (t) => {
  /** The hash is past the end of what an older kernel knows of the attribute. */
  class Older extends PartialKernel {
    override bpf(command: number, attribute: Uint8Array): number {
      const end = bpf_attr_map_create.offsets.excl_prog_hash;
      const hash = command === BPF_MAP_CREATE && attribute.subarray(end).some((byte) => byte !== 0);
      return hash ? -7 : super.bpf(command, attribute);
    }
  }
  t.match(
    thrown(() => exclusive({ kernel: new Older([], 0) })),
    {
      code: 'UNSUPPORTED_FEATURE',
      minKernel: '6.18',
      message: 'Cannot create map secret: this kernel has no maps of one program alone (since Linux 6.18)',
    },
  );
  const object = ObjectFile.open(path);
  object.map('secret').exclusiveProgram = 'owner';
  t.match(
    neededKernel(object).because.find(({ since }) => since === '6.18'),
    { reason: 'map secret is of one program alone' },
  );
  t.end();
});

const noLinks = isKernelBefore('6.4') && 'links for struct_ops came with Linux 6.4';

t.test('what cannot belong to a struct of functions', { skip: noLinks }, (t) => {
  using collection = Collection.load(ObjectFile.open(path));
  const [elsewhere, first] = [collection.program('elsewhere'), collection.map('first')];
  t.equal(
    thrown(() => {
      associateStructOps(collection.program('ssthresh'), first);
    }).message,
    'Cannot make program ssthresh belong to map first: it is a struct_ops program',
  );
  t.equal(
    thrown(() => {
      associateStructOps(elsewhere, collection.map('secret'));
    }).message,
    'Cannot make program elsewhere belong to map secret: that is no struct_ops map',
  );
  if (isKernelBefore('7.0') && !isSupported(Feature.StructOpsAssociation)) {
    t.match(
      thrown(() => {
        associateStructOps(elsewhere, first);
      }),
      {
        code: 'UNSUPPORTED_FEATURE',
        message:
          'Cannot make program elsewhere belong to map first: ' +
          'this kernel has no programs that belong to a struct_ops map (since Linux 7.0)',
      },
    );
    t.end();
    return;
  }
  associateStructOps(elsewhere, first);
  associateStructOps(elsewhere, first);
  t.match(
    thrown(() => {
      associateStructOps(elsewhere, collection.map('second'));
    }),
    { code: 'SYSCALL_FAILED', errnoName: 'EBUSY' },
  );
  t.equal(elsewhere.testRun({ context: new Uint8Array(0) }).returnValue, 7);
  t.end();
});

t.test('nothing stays open', (t) => {
  t.same(openDescriptors(), before);
  t.end();
});
