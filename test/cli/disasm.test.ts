/** What `ts-xdp disasm` prints, and that our assembler reads it back. */
import t from 'tap';
import { assemble, encodeInstructions } from '../../src/asm/index.ts';
import { listFunction } from '../../src/cli/disasm/listing.ts';
import { listingText } from '../../src/cli/disasm/text.ts';
import { ObjectFile } from '../../src/elf/index.ts';
import { TsXdpError } from '../../src/errors.ts';
import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import { conformanceObjects, whyNoConformanceObjects } from '../helpers/conformance-objects.ts';
import { snifferObject } from '../helpers/sniffer-events.ts';

const compiler = new Compiler();
t.teardown(() => {
  compiler.close();
});

const coreSource = `struct inner_task { long start; int pid; } __attribute__((preserve_access_index));
char _license[] __attribute__((section("license"), used)) = "GPL";
__attribute__((section("socket"), used)) int read_pid(struct inner_task *task) {
  return task->pid;
}
`;

t.test(
  'the listing, with source and remarks, assembles to the same bytes',
  { skip: whyNotCompile() },
  (t) => {
    const fixtures = ['calls', 'globals', 'kernel-functions'].map((name) => compiler.fixture(name));
    for (const path of [snifferObject, ...fixtures, compiler.source('core', coreSource)]) {
      const object = ObjectFile.open(path);
      for (const fn of [...object.programs.values(), ...object.subprograms]) {
        const text = listingText(listFunction(object, fn), { source: true });
        t.same(
          Buffer.from(encodeInstructions(assemble(text))),
          Buffer.from(fn.instructions.slice()),
          `${object.name} ${fn.name}`,
        );
      }
    }
    t.end();
  },
);

t.test('so do those of the kernel’s selftests', { skip: whyNoConformanceObjects() }, (t) => {
  let functions = 0;
  const differing = conformanceObjects().flatMap((path) => {
    const object = openOrSkip(path);
    // Assembled instructions are little-endian.
    if (!object?.littleEndian) return [];
    return [...object.programs.values(), ...object.subprograms].flatMap((fn) => {
      functions++;
      const text = listingText(listFunction(object, fn), { source: true });
      const same = Buffer.from(encodeInstructions(assemble(text))).equals(fn.instructions);
      return same ? [] : [`${path} ${fn.name}`];
    });
  });
  t.same(differing, []);
  t.ok(functions > 1000, `${functions} functions`);
  t.end();
});

/** Some selftests are yet to be linked, or are malformed on purpose. */
function openOrSkip(path: string): ObjectFile | undefined {
  try {
    return ObjectFile.open(path);
  } catch (error) {
    if (!(error instanceof TsXdpError)) throw error;
    return undefined;
  }
}

t.test('instructions name what they refer to', { skip: whyNotCompile() }, (t) => {
  const core = ObjectFile.open(compiler.source('core', coreSource));
  const text = listingText(listFunction(core, core.program('read_pid')), { source: true });
  t.match(text, /^; section socket\nread_pid:\n; return task->pid; @ .*core\.bpf\.c:4\n/);
  t.match(
    text,
    / r0 = \*\(u32 \*\)\(r1 \+ 8\) {2}\/\/ <byte_off> \[\d+\] struct inner_task\.pid \(0:1 @ offset 8\)\n/,
  );
  const sniffer = ObjectFile.open(snifferObject);
  const program = listingText(listFunction(sniffer, sniffer.program('xdp_bound_sniffer')), { source: false });
  t.match(program, / ll {2}\/\/ map iface_configs\n/);
  t.match(program, / ll {2}\/\/ \.rodata \+ 2 \(payload_limit\)\n/);
  t.match(program, /call pc-1 {2}\/\/ extern bpf_xdp_metadata_rx_vlan_tag\n/);
  t.match(program, /call bpf_ringbuf_reserve#131\n/);
  const calls = ObjectFile.open(compiler.fixture('calls'));
  const caller = listingText(listFunction(calls, calls.program('static_functions')), { source: false });
  t.match(caller, /call pc[+-]\d+ {2}\/\/ function four_times\n/);
  t.end();
});
