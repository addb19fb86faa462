/** What `ts-xdp load` says where the kernel refuses, and that nothing of it stays behind. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Cli, notRoot, projectRoot, runCli, STACK } from '../helpers/cli.ts';
import { runHosted } from '../helpers/command-host.ts';
import type { CliResult } from '../helpers/cli.ts';
import { BpfFileSystem, leftObjects, xdpState } from '../helpers/kernel-objects.ts';
import { noClang } from '../helpers/object-source.ts';
import { inPlace, nothingLeft } from '../helpers/refusal-place.ts';
import type { Place } from '../helpers/refusal-place.ts';
import { snifferObject } from '../helpers/sniffer-events.ts';

const skip = notRoot || noClang;

function errorOf(result: CliResult): Record<string, unknown> {
  const [line, ...more] = result.lines;
  if (line?.error === undefined || more.length > 0) throw new Error(`No single error but ${result.stdout}`);
  return line.error;
}

const here = ({ object, device, netns }: Place): string[] => [object, '--iface', device, '--netns', netns];

t.test('the verifier refuses: its reason, the line of C, and the whole log on demand', { skip }, (t) =>
  inPlace(
    async (place) => {
      const args = here(place);
      const [plain, verbose, json] = await Promise.all([
        runHosted(['load', ...args]),
        runHosted(['load', '--verbose', ...args]),
        runHosted(['load', '--json', ...args]),
      ]);
      const source = readFileSync(join(projectRoot, 'test/fixtures/variants.bpf.c'), 'utf8').split('\n');
      const line = source.findIndex((text) => text.includes('no check against data_end')) + 1;
      const error = errorOf(json);
      t.same([plain.code, verbose.code, json.code], [1, 1, 1]);
      t.equal(error['code'], 'VERIFIER_REFUSED');
      t.equal(error['program'], `${place.tag}_bad`);
      t.equal(error['errno_name'], 'EACCES');
      t.match(error['summary'], /^R\d offset is outside of the packet$/);
      const where = new RegExp(`^variants\\.bpf\\.c:${String(line)}: return data\\[40\\]`);
      const { file, line: number, text } = error['source'] as Record<string, unknown>;
      const at = `${String(file)}:${String(number)}: ${String(text)}`;
      t.match(at, where);
      t.equal(error['rule'], 'packet-bounds');
      t.match(error['registers'], [{ register: /^R\d$/, state: /^pkt\(/ }]);
      const [first, second, third] = plain.stderr.split('\n');
      t.equal(first, `error: Cannot load program ${place.tag}_bad: ${String(error['summary'])} (at ${at})`);
      t.equal(
        second,
        'hint: compare the pointer with data_end before this access: if (pointer + size > data_end) return …',
      );
      t.equal(error['hint'], second?.slice('hint: '.length));
      t.equal(third, 'note: --verbose prints the whole verifier log');
      const log = String(error['log']);
      t.match(log, /^processed \d+ insns/m, 'the log goes to its end');
      t.match(log, /^0: R1=ctx/m, 'and begins at the beginning');
      t.ok(verbose.stderr.includes(log.trimEnd()), 'all of it with --verbose');
      t.notOk(plain.stderr.includes('processed'));
      t.notMatch(verbose.stderr, STACK);
      await nothingLeft(t, place);
    },
    { REFUSED: '1' },
  ),
);

/** With no capability but these. Still uid 0, which can read this checkout wherever it is. */
function withOnly(netns: string, capabilities: readonly string[]): string[] {
  const set = ['-all', ...capabilities.map((name) => `+${name}`)].join(',');
  const sets = [`--inh-caps=${set}`, `--ambient-caps=${set}`, `--bounding-set=${set}`];
  return ['ip', 'netns', 'exec', netns, 'setpriv', ...sets];
}

t.test('not permitted ends with 3 and names what is missing', { skip }, (t) =>
  inPlace(async (place) => {
    const { tag, device, netns, object } = place;
    const rows = [
      { capabilities: [], doing: `load the BTF of ${tag}_x`, call: 'BPF_BTF_LOAD', missing: ['CAP_BPF'] },
      {
        capabilities: ['bpf'],
        doing: `load program ${tag}_pass`,
        call: 'BPF_PROG_LOAD',
        missing: ['CAP_NET_ADMIN'],
      },
    ];
    for (const { capabilities, doing, call, missing } of rows) {
      const prefix = withOnly(netns, capabilities);
      const args = [object, '--iface', device];
      const [json, plain] = await Promise.all([
        runCli(['load', '--json', ...args], { prefix }),
        runCli(['load', ...args], { prefix }),
      ]);
      const message = `Cannot ${doing}: ${missing.join(' and ')} is missing`;
      const hint = `Run it as root, or give the process ${missing.join(' and ')}.`;
      t.same([json.code, plain.code], [3, 3]);
      t.same(errorOf(json), {
        code: 'PERMISSION_DENIED',
        message,
        hint,
        call: `bpf(${call})`,
        errno_name: 'EPERM',
        missing,
      });
      t.match(plain.stderr, `error: ${message}\nhint: ${hint}\n`);
      t.notMatch(plain.stderr, STACK);
    }
    const enough = withOnly(netns, ['bpf', 'net_admin', 'perfmon']);
    const done = await runCli(['load', object, '--iface', device, '--duration', '50ms', '--json'], {
      prefix: enough,
    });
    t.equal(done.code, 0, 'CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON suffice');
    t.match(done.lines[0], { type: 'attached', target: device, via: 'link' });
    const unload = await runCli(['unload', '--iface', device, '--json'], { prefix: withOnly(netns, []) });
    t.same([unload.code, errorOf(unload)['code']], [1, 'PROGRAM_NOT_FOUND'], 'looking is free');
    await nothingLeft(t, place);
  }),
);

t.test('an interface that is taken stays as it is', { skip }, (t) =>
  inPlace(async (place) => {
    const { tag, device, netns, object } = place;
    const first = new Cli(['load', snifferObject, '--iface', device, '--netns', netns, '--json']);
    const { program_id: programId } = await first.attached();
    for (const via of ['link', 'netlink']) {
      const refused = await runHosted([
        'load',
        object,
        '--iface',
        device,
        '--netns',
        netns,
        '--via',
        via,
        '--json',
      ]);
      t.equal(refused.code, 1);
      t.same(errorOf(refused), {
        code: 'ALREADY_ATTACHED',
        message: `Cannot attach to ${device}: program ${String(programId)} (native) is attached there already`,
        hint: `take its place with --replace, or detach it: ts-xdp unload --iface ${device} --netns ${netns}`,
        target: device,
        program_id: programId,
      });
    }
    t.equal(xdpState(device, netns).programId, programId, 'it is still attached');
    t.same(await leftObjects(tag), []);

    const both = ['--iface', place.pair.sender.name, '--iface', device];
    const second = await runHosted(['load', object, ...both, '--netns', netns, '--json']);
    t.same(
      [second.code, errorOf(second)['code'], errorOf(second)['target']],
      [1, 'ALREADY_ATTACHED', device],
    );
    t.equal(
      xdpState(place.pair.sender.name, netns).programId,
      undefined,
      'the first interface is free again',
    );
    t.same(await leftObjects(tag), []);
    t.equal((await first.stop()).code, 0);
  }),
);

t.test('a pin directory that exists stays as it is', { skip }, (t) =>
  inPlace(async (place) => {
    const { device, netns, object } = place;
    const bpffs = new BpfFileSystem();
    try {
      const pins = join(bpffs.path, 'mine');
      const args = [object, '--iface', device, '--netns', netns, '--pin', pins];
      t.equal((await runHosted(['load', ...args, '--detach'])).code, 0);
      const { programId } = xdpState(device, netns);
      const [json, plain] = await Promise.all([
        runHosted(['load', '--json', ...args, '--replace']),
        runHosted(['load', ...args, '--replace']),
      ]);
      t.same([json.code, plain.code], [1, 1]);
      t.same(errorOf(json), {
        code: 'PIN_EXISTS',
        message: `Cannot pin to ${pins}: something is pinned there already`,
        hint: `remove it with: ts-xdp unload ${pins}`,
        path: pins,
      });
      t.equal(
        plain.stderr,
        `error: Cannot pin to ${pins}: something is pinned there already\nhint: remove it with: ts-xdp unload ${pins}\n`,
      );
      t.equal(xdpState(device, netns).programId, programId);
      t.equal((await runHosted(['unload', pins])).code, 0);
      t.notOk(existsSync(pins));
      await nothingLeft(t, place);
    } finally {
      bpffs.close();
    }
  }),
);
