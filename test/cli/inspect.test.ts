/** What `ts-xdp inspect` says of objects, against llvm-objdump, bpftool and the sources. */
import { execFileSync } from 'node:child_process';
import t from 'tap';
import { helperName, helperNumber } from '../../src/asm/index.ts';
import { mapFlagNames } from '../../src/cli/inspect/map-flags.ts';
import { objectReport } from '../../src/cli/inspect/report.ts';
import { reportText } from '../../src/cli/inspect/text.ts';
import { ObjectFile } from '../../src/elf/index.ts';
import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import { snifferObject } from '../helpers/sniffer-events.ts';

/** A relocation of a known field. */
const coreSource = `
struct inner_task { long start; int pid; } __attribute__((preserve_access_index));
char _license[] __attribute__((section("license"), used)) = "GPL";
__attribute__((section("socket"), used)) int read_pid(struct inner_task *task) { return task->pid; }
`;

const compiler = new Compiler();
t.teardown(() => {
  compiler.close();
});

/** Instructions and helpers of a function whose calls stay within it, as llvm-nm and llvm-objdump read them. */
function disassembled(path: string, place: { name: string; section: string }): object {
  const run = (command: string, ...args: string[]): string =>
    execFileSync(command, [...args, path], { encoding: 'utf8' });
  const symbol = new RegExp(`^(\\w+) (\\w+) \\w ${place.name}$`, 'm').exec(run('llvm-nm', '--print-size'));
  const [first, instructions] = [symbol?.[1], symbol?.[2]].map((bytes) => Number(`0x${String(bytes)}`) / 8);
  const text = run('llvm-objdump', '-d', `--section=${place.section}`);
  const called = [...text.matchAll(/^\s*(\d+):\t85 00 00 00 .*\tcall (\d+)$/gm)]
    .map(([, index, number]) => ({ index: Number(index) - first!, number: Number(number) }))
    .filter(({ index }) => index >= 0 && index < instructions!);
  return { instructions, helpers: [...new Set(called.map(({ number }) => helperName(number)))] };
}

t.test('programs have the size and the helpers that llvm-objdump sees', { skip: whyNotCompile() }, (t) => {
  const paths = [snifferObject, compiler.fixture('maps'), compiler.fixture('kernel-functions')];
  for (const path of paths) {
    for (const program of objectReport(ObjectFile.open(path)).programs) {
      const { instructions, helpers, linked_instructions: linked } = program;
      t.same({ instructions, helpers }, disassembled(path, program), program.name);
      t.equal(linked, instructions, 'none of these calls another function');
    }
  }
  t.end();
});

t.test('calls, callbacks, kfuncs and maps are found through functions', { skip: whyNotCompile() }, (t) => {
  const { programs } = objectReport(ObjectFile.open(compiler.fixture('calls')));
  const callbacks = programs.find(({ name }) => name === 'each_element');
  t.match(callbacks, {
    calls: ['set_value', 'add_value'],
    helpers: ['bpf_loop', 'bpf_for_each_map_elem', 'bpf_map_update_elem'],
    maps: ['values'],
  });
  const report = objectReport(ObjectFile.open(compiler.fixture('kernel-functions')));
  t.same(report.programs.find(({ name }) => name === 'present')?.kfuncs, [
    'bpf_rcu_read_lock',
    'bpf_rcu_read_unlock',
  ]);
  const settings = compiler.source(
    'settings',
    `#include <linux/bpf.h>
     #include <bpf/bpf_helpers.h>
     extern int CONFIG_HZ __kconfig;
     extern const int bpf_prog_active __ksym;
     extern const void jiffies __ksym __weak;
     static __attribute__((noinline)) int ticks(void) { return CONFIG_HZ; }
     SEC("raw_tp") int asks(void *context) { return ticks() + (&jiffies != 0) + *(int *)bpf_this_cpu_ptr(&bpf_prog_active); }
     SEC("raw_tp") int asks_nothing(void *context) { return 0; }
     char _license[] SEC("license") = "GPL";`,
  );
  const [asks, nothing] = objectReport(ObjectFile.open(settings)).programs;
  t.same([...(asks?.externs ?? [])].sort(), ['CONFIG_HZ', 'bpf_prog_active', 'jiffies'], 'through functions');
  t.same(asks?.maps, ['.kconfig'], 'which is a map');
  t.same([nothing?.externs, nothing?.maps], [[], []]);
  t.match(report.externs[1], { name: 'bpf_rcu_read_unlock', weak: true, section: '.ksyms' });
  t.end();
});

t.test("the sniffer's report, as JSON and as text", (t) => {
  const report = objectReport(ObjectFile.open(snifferObject));
  t.match(report, { license: 'Dual MIT/GPL', endianness: 'little', events: [{ map: 'events' }, {}] });
  t.same(report.counters, { map: 'stats', type: 'struct sniffer_stats' });
  t.match(report.programs[1], { section: '?xdp.frags', type: 'xdp', frags: true, autoload: false });
  t.match(
    report.maps.find(({ name }) => name === 'excluded_ports'),
    { type: 'hash', key: '__u16', key_size: 2, value: '__u8', max_entries: 1024, flags: [] },
  );
  t.same(report.variables[1], {
    name: 'payload_limit',
    section: '.rodata',
    type: 'const volatile __u16',
    size: 2,
    value: 512,
  });
  t.same(JSON.parse(JSON.stringify(report)), report, 'nothing that JSON cannot carry');
  const text = reportText(report);
  t.match(text, '\n  excluded_ports  hash, key __u16, value __u8, 1024 entries\n');
  t.match(text, '\n  payload_limit: const volatile __u16 = 512  (.rodata)\n');
  t.match(text, '\n  events carries struct simple_event\n');
  t.end();
});

t.test('CO-RE relocations are spelled like libbpf spells them', { skip: whyNotCompile() }, (t) => {
  const report = objectReport(ObjectFile.open(compiler.source('core', coreSource)));
  t.same(
    report.core_relocations.map(({ section, spec }) => [section, spec.replace(/\[\d+\]/, '[N]')]),
    [['socket', '<byte_off> [N] struct inner_task.pid (0:1 @ offset 8)']],
  );
  t.match(report.btf, { kinds: { struct: 1 } });
  t.end();
});

t.test('helpers and map flags have the names of the kernel', (t) => {
  t.equal(helperName(1), 'bpf_map_lookup_elem');
  t.equal(helperName(0), undefined);
  t.equal(helperName(9999), undefined);
  t.equal(helperNumber('bpf_ringbuf_submit'), 132);
  t.equal(helperNumber('bpf_no_such_helper'), undefined);
  t.same(mapFlagNames(0), []);
  t.same(mapFlagNames(0x401 | (1 << 30)), ['NO_PREALLOC', 'MMAPABLE', '0x40000000']);
  t.end();
});

t.test('a variable of many megabytes is told by its size', { skip: whyNotCompile() }, (t) => {
  const source = `
    int table[16777216]; int small[16384] = { 1 };
    __attribute__((section("socket"), used)) int read_table(void *context) { return table[3] + small[5]; }
    char _license[] __attribute__((section("license"), used)) = "GPL";`;
  const report = objectReport(ObjectFile.open(compiler.source('large-variable', source)));
  t.match(
    report.variables.find(({ name }) => name === 'table'),
    { type: 'int[16777216]', size: 64 * 1024 * 1024, value: null },
  );
  t.equal((report.variables.find(({ name }) => name === 'small')?.value as number[]).length, 16384);
  t.match(reportText(report), /^ {2}table: int\[16777216\] = 67108864 bytes {2}\(\.bss\)$/m);
  t.end();
});
