/** CO-RE relocations of compiled objects: when the target is read, what is refused and how, mutated records. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { InstructionView } from '../../src/asm/index.ts';
import { Btf, BtfBuilder, CoreResolver, patchInstruction } from '../../src/btf/index.ts';
import { readContainer, ObjectFile } from '../../src/elf/index.ts';
import { BtfError, TsXdpError, VerifierError } from '../../src/errors.ts';
import { CoreRelocations, explainRefusal } from '../../src/loader/core-relocations.ts';
import { KernelBtf } from '../../src/loader/kernel-btf.ts';
import { linkSubprograms } from '../../src/loader/subprograms.ts';
import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import { randomNumbers } from '../helpers/random-numbers.ts';
import { thrown } from '../helpers/thrown.ts';
import { inProject } from '../helpers/project-root.ts';

const missing = whyNotCompile();
if (missing !== false) {
  t.plan(0, missing);
  process.exit(0);
}

const compiler = new Compiler();
t.teardown(() => {
  compiler.close();
});
const source = (name: string): string => readFileSync(inProject(`test/fixtures/core/${name}`), 'utf8');
const localBytes = readFileSync(compiler.source('local', source('local.bpf.c')));
const targetObject = ObjectFile.open(compiler.source('target', source('target.c')));
const target = btfOf(targetObject);

function btfOf({ name, btf }: ObjectFile): Btf {
  if (!btf) throw new Error(`${name} has no BTF`);
  return btf;
}

/** Links a program and applies its relocations. */
function apply(object: ObjectFile, program: string, main: () => Btf = () => target) {
  const linked = linkSubprograms(object, object.program(program));
  return { linked, poisoned: new CoreRelocations(object, { main }).apply(linked) };
}

t.test('the target is read for programs that need it', (t) => {
  let reads = 0;
  const main = (): Btf => {
    reads++;
    return target;
  };
  const text = `#include "check.h"
    #include <bpf/bpf_core_read.h>
    struct inner { int first; } __attribute__((preserve_access_index));
    SEC("xdp") int without(struct xdp_md *ctx) { return 0; }
    SEC("xdp") int local_id(struct xdp_md *ctx) { return bpf_core_type_id_local(struct inner); }
    SEC("?xdp") int with(struct xdp_md *ctx) { return bpf_core_type_size(struct inner); }
    SEC("?xdp") int twice(struct xdp_md *ctx) { return bpf_core_type_size(struct inner) + 1; }`;
  const object = ObjectFile.open(compiler.source('lazy', text));
  const relocations = new CoreRelocations(object, { main });
  const use = (name: string): number => {
    relocations.apply(linkSubprograms(object, object.program(name)));
    return reads;
  };
  t.equal(use('without'), 0, 'not without relocations');
  t.equal(use('local_id'), 0, 'not for an id of the program itself');
  t.equal(use('with'), 1);
  t.equal(use('twice'), 1, 'once for all programs');
  t.end();
});

t.test('the types of modules are those that were made for the kernel', (t) => {
  const folder = join(compiler.folder, 'btf');
  mkdirSync(folder);
  const kernelBtf = new KernelBtf({ folder });
  t.equal(
    thrown(() => kernelBtf.modules).message,
    `Cannot read the kernel's BTF at ${folder}/vmlinux: ENOENT`,
  );
  t.equal(thrown(() => kernelBtf.vmlinux).code, 'FILE_UNREADABLE');
  writeFileSync(join(folder, 'vmlinux'), target.bytes);
  const module = new BtfBuilder({ base: target });
  const added = module.add({ kind: 'struct', name: 'inner', size: 4, members: [] });
  module.add({ kind: 'struct', name: 'of_module', size: 4, members: [] });
  writeFileSync(join(folder, 'zram'), module.build());
  writeFileSync(join(folder, 'broken'), module.build().subarray(0, 30));
  t.same([...kernelBtf.modules.keys()], ['zram']);
  t.equal(kernelBtf.modules.get('zram')?.find('of_module'), added + 1);
  t.equal(kernelBtf.vmlinux, kernelBtf.vmlinux, 'and each is read once');
  t.end();
});

t.test('what is refused', (t) => {
  const object = ObjectFile.parse(localBytes, { name: 'local' });
  const id = (name: string, btf = btfOf(object)): string => String(btf.find(name, 'struct'));
  const refusals: [string, string][] = [
    [
      'ambiguous',
      `<byte_off> [${id('quarrel')}] struct quarrel.field (0:0 @ offset 0): cannot choose between candidates: ` +
        `it is 0 by <byte_off> [${id('quarrel___1', target)}] struct quarrel___1.field (0:0 @ offset 0) ` +
        `and 4 by <byte_off> [${id('quarrel___2', target)}] struct quarrel___2.field (0:1 @ offset 4)`,
    ],
    [
      'too_far',
      `<byte_off> [${id('far_away')}] struct far_away.field (0:0 @ offset 0): ` +
        'offset 40000 does not fit the 16 bits of a load or store',
    ],
  ];
  for (const [program, why] of refusals) {
    const error = thrown(() => apply(object, program));
    t.equal(
      error.message,
      `Cannot load program ${program}: CO-RE relocation of instruction 2: Cannot relocate ${why}`,
    );
    t.equal(error.code, 'RELOCATION_FAILED');
    t.match(error.facts(), { section: '?xdp', program });
  }
  t.end();
});

t.test('what the target lacks is poisoned', (t) => {
  const object = ObjectFile.parse(localBytes, { name: 'local' });
  const btf = btfOf(object);
  const typeId = (name: string): string => String(btf.find(name));
  const lacksField = 'the type of that name in the target lacks it, or has it with an incompatible type';
  const absent = `<byte_off> [${typeId('sample')}] struct sample.absent (0:18 @ offset 128)`;
  const rows: [string, number, string, string][] = [
    ['unguarded', 2, absent, lacksField],
    [
      'unguarded_value',
      0,
      `<enumval_value> [${typeId('missing_enum')}] enum missing_enum::MISSING_VALUE = 3`,
      'the target has no type of that name',
    ],
    [
      'unguarded_in_function',
      4,
      `<byte_off> [${typeId('missing')}] struct missing.field (0:0 @ offset 0)`,
      'the target has no type of that name',
    ],
    [
      'signed_load',
      2,
      `<byte_off> [${typeId('sample')}] struct sample.grown (0:2 @ offset 16)`,
      'it accesses 4 bytes of what has 8 bytes in the target',
    ],
  ];
  for (const [program, index, relocation, reason] of rows) {
    const { linked, poisoned } = apply(object, program);
    t.same(poisoned, [{ index, relocation, reason }], program);
    const view = new InstructionView(linked.instructions);
    t.equal(view.opcode(index), 0x85);
    t.equal(view.immediate(index), 0xbad2310);
  }
  t.same(
    apply(object, 'guarded').poisoned.map(({ relocation }) => relocation.replace(/\[\d+\]/, '[N]')),
    [
      '<byte_off> [N] struct sample.absent (0:18 @ offset 128)',
      '<enumval_value> [N] enum state::STATE_GONE = 4',
      '<byte_off> [N] struct renamed___old.old_name (0:0 @ offset 0)',
    ],
  );

  t.test('and a refusal by the verifier explained, where it met that', (t) => {
    const refusal = (log: string): VerifierError =>
      new VerifierError({
        program: 'p',
        errno: 22,
        errnoName: 'EINVAL',
        summary: 'invalid func unknown#195896080',
        source: { file: 'p.c', line: 1, text: 'x' },
        log,
      });
    const poisoned = [{ index: 2, relocation: absent, reason: lacksField }];
    const log = '1: (b7) r0 = 0\n2: (85) call unknown#195896080\ninvalid func unknown#195896080\n';
    const explained = explainRefusal(refusal(log), poisoned) as VerifierError;
    t.equal(
      explained.message,
      'Cannot load program p: failed to resolve CO-RE relocation ' +
        `${absent} of instruction 2: ${lacksField} (at p.c:1: x)`,
    );
    t.equal(explained.log, log);
    const others = [refusal('3: (85) call unknown#195896080\n'), refusal(''), new Error('2: call')];
    for (const other of others) t.equal(explainRefusal(other, poisoned), other);
    t.end();
  });
  t.end();
});

t.test('mutated records resolve or are refused as BTF', (t) => {
  const random = randomNumbers(20_261_120);
  const object = ObjectFile.parse(localBytes, { name: 'local' });
  const local = btfOf(object);
  const records = object.btfExt?.coreRelocations.get('xdp')?.records ?? [];
  const programs = [...object.programs.values()].filter(({ section }) => section === 'xdp');
  const counts = { resolved: 0, poisoned: 0, refused: 0 };
  let resolver = new CoreResolver(local, { main: () => target });
  for (let round = 0; round < 20_000; round++) {
    const record = { ...records[random(records.length)]! };
    const { instructions, offset } = programs.findLast((fn) => fn.offset <= record.instructionOffset)!;
    const own = (record.instructionOffset - offset) / 8;
    if (random(3) === 0) record.typeId = random(local.typeCount + 2);
    if (random(3) === 0) record.kind = random(14);
    const indexes = record.accessString.split(':').map((index) => (random(6) === 0 ? random(20) : index));
    if (random(4) === 0) indexes.push(random(4));
    record.accessString = random(50) === 0 ? ':x'.repeat(random(3)) : indexes.join(':');
    // What was resolved before counts.
    if (round % 100 === 0) resolver = new CoreResolver(local, { main: () => target });
    try {
      const resolution = resolver.resolve(record);
      const view = new InstructionView(Uint8Array.from(instructions));
      const reason = patchInstruction(view, random(4) === 0 ? random(view.count + 1) : own, resolution);
      counts[reason === undefined ? 'resolved' : 'poisoned']++;
    } catch (error) {
      if (!(error instanceof BtfError)) throw error;
      counts.refused++;
    }
  }
  t.ok(Math.min(...Object.values(counts)) > 200, JSON.stringify(counts));
  t.end();
});

t.test('mutated objects are relocated or refused with an error of ours', (t) => {
  const random = randomNumbers(7);
  const places = readContainer(localBytes)
    .sections.filter(({ name }) => name === '.BTF' || name === '.BTF.ext')
    .map(({ data, size }) => ({ start: localBytes.indexOf(data), length: size, random }));
  const counts = { applied: 0, refused: 0 };
  const attempt = (action: () => void): void => {
    try {
      action();
      counts.applied++;
    } catch (error) {
      if (!(error instanceof TsXdpError)) throw error;
      counts.refused++;
    }
  };
  for (let round = 0; round < 2_000; round++) {
    const bytes = Uint8Array.from(localBytes);
    mutateWords(bytes, places[random(2)]!);
    const types = Uint8Array.from(target.bytes);
    if (round % 3 === 0) mutateWords(types, { start: 24, length: types.length - 24, random });
    attempt(() => {
      const object = ObjectFile.parse(bytes, { name: 'mutant' });
      const relocations = new CoreRelocations(object, { main: () => Btf.parse(types) });
      for (const program of object.programs.keys()) {
        attempt(() => {
          relocations.apply(linkSubprograms(object, object.program(program)));
        });
      }
    });
  }
  t.ok(Math.min(...Object.values(counts)) > 300, JSON.stringify(counts));
  t.end();
});

/** Changes one to three words to what ids, counts and offsets are like. */
function mutateWords(
  bytes: Uint8Array,
  { start, length, random }: { start: number; length: number; random: (below: number) => number },
): void {
  const view = new DataView(bytes.buffer);
  for (let count = random(3); count >= 0; count--) {
    const at = start + 4 * random(length >> 2);
    const old = view.getUint32(at, true);
    const values = [random(100), old + 1, old - 1, old ^ (1 << random(32)), random(0x1_0000_0000)];
    view.setUint32(at, values[random(values.length)]!, true);
  }
}
