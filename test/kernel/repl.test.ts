/** The REPL on a real interface: what is in scope, events above the prompt, and that nothing stays behind. */
import t from 'tap';
import { ObjectFile } from '../../src/elf/index.ts';
import { Scope, Session } from '../../src/repl/index.ts';
import { noTerminal, ReplProcess, sniffer, TerminalRepl } from '../repl/repl-process.ts';
import { ethernet, EtherType, ipv4, Protocol, udp } from '../fixtures/frames.ts';
import { notRoot, type JsonLine } from '../helpers/cli.ts';
import { openDescriptors } from '../helpers/open-descriptors.ts';
import { xdpState } from '../helpers/kernel-objects.ts';
import { VethPair } from '../helpers/veth.ts';

const frame = ethernet(
  EtherType.Ipv4,
  ipv4({ protocol: Protocol.Udp }, udp({ sourcePort: 4096, destinationPort: 8192 }, Uint8Array.of(1, 2, 3))),
);

function linesOf(text: string): JsonLine[] {
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as JsonLine]));
}

t.test('a script drives an attached object', { skip: notRoot }, async (t) => {
  using pair = VethPair.open();
  const { name } = pair.receiver;
  const netns = pair.namespaceName ?? '';
  const repl = new ReplProcess([sniffer, '--iface', name, '--netns', netns, '--json']);
  repl.type('attachments\n');
  await repl.until(({ stdout }) => stdout.includes('"kind":"xdp"'));
  const before = xdpState(name, netns);
  t.type(before.programId, 'number', 'it is attached');
  using socket = pair.openPacketSocket();
  socket.send(frame);
  await repl.until(({ stdout }) => stdout.includes('"type":"event"'));
  const event = linesOf(repl.stdout).find(({ type }) => type === 'event');
  t.match(event, { map: 'events', struct: 'simple_event', data: { src_port: 4096, dst_port: 8192 } });

  repl.type(
    'maps.excluded_ports.set(4096, 1)\ndump(excluded_ports)\nprograms.xdp_sniffer_enhanced.id\n.stats\n',
  );
  repl.type(
    'maps.excluded_ports.set(1, 256)\nmaps[".rodata"].types !== undefined\nvariables.payload_limit.set(1)\n',
  );
  await repl.until(({ stdout }) => stdout.includes('read-only'));
  const values = linesOf(repl.stdout).filter(({ type }) => type !== 'event');
  t.same(values[2], { type: 'result', value: [[4096, 1]] }, 'keys and values are typed');
  t.same(values[3], { type: 'result', value: before.programId }, 'the program is the attached one');
  t.match(values[4], { value: { events: { events: 1 }, counters: { submitted: '1', no_space: '0' } } });
  t.match(values[5]?.error, { code: 'VALUE_INVALID' });
  t.match(values.at(-1)?.error, {
    code: 'ARGUMENT_INVALID',
    message: /^Cannot set payload_limit: \.rodata is read-only/,
  });

  repl.type(`.events off\n.detach\nattachments\n`);
  await repl.until(({ stdout }) => stdout.includes('"closed":true'));
  t.same(xdpState(name, netns).programId, undefined, 'detached');
  repl.type(`.attach ${name}\n`);
  await repl.until(() => xdpState(name, netns).programId !== undefined);
  const { code } = await repl.end();
  t.equal(code, 1, 'two lines failed');
  t.same(xdpState(name, netns).programId, undefined, 'and nothing stays attached at the end of the script');
});

t.test('however it ends, nothing stays attached', { skip: notRoot }, async (t) => {
  using pair = VethPair.open();
  const { name } = pair.receiver;
  const netns = pair.namespaceName ?? '';
  const endings = {
    'at .exit': (repl: ReplProcess) => repl.child.stdin.write('.exit\n'),
    'at the end of the script': (repl: ReplProcess) => repl.child.stdin.end(),
    'at SIGTERM, in an await that never ends': (repl: ReplProcess) => {
      repl.child.stdin.write('await new Promise(() => {})\n');
      setTimeout(() => repl.child.kill('SIGTERM'), 100);
    },
    'at SIGINT': (repl: ReplProcess) => repl.child.kill('SIGINT'),
  };
  for (const [ending, end] of Object.entries(endings)) {
    const repl = new ReplProcess([sniffer, '--netns', netns]);
    // Attached by hand and forgotten.
    repl.type(`const netns = NetworkNamespace.open('${netns}')\n`);
    repl.type(`attachXdp(programs.xdp_sniffer_enhanced, { interface: '${name}', via: 'netlink', netns })\n`);
    await repl.until(({ stdout }) => stdout.includes('xdp attachment on'));
    t.type(xdpState(name, netns).programId, 'number');
    end(repl);
    const { code, stderr } = await repl.ended;
    t.equal(code, 0, `${ending}: ${stderr}`);
    t.same(xdpState(name, netns).programId, undefined, ending);
  }
});

t.test(
  'another object takes the place of the first, and its maps are in scope',
  { skip: notRoot },
  async (t) => {
    const repl = new ReplProcess([sniffer]);
    repl.type('const first = maps.stats; first.closed\n');
    repl.type(
      `load('${sniffer}', { prog: 'xdp_sniffer_enhanced' })\nfirst.closed\nmaps.stats.closed\nprograms\n`,
    );
    const { code, stdout, stderr } = await repl.end();
    t.equal(code, 0, stderr);
    const [before, loaded, after, now, programs] = stdout.split('\n');
    t.same([before, after, now], ['false', 'true', 'false']);
    t.equal(loaded, 'collection sniffer: 1 programs, 10 maps, 3 variables');
    t.match(programs, /^\{ xdp_sniffer_enhanced: program xdp_sniffer_enhanced xdp, id \d+ \}$/);
  },
);

t.test(
  'events are printed above the prompt, and what is being typed stays',
  { skip: notRoot || noTerminal },
  async (t) => {
    using pair = VethPair.open();
    const { name } = pair.receiver;
    const netns = pair.namespaceName ?? '';
    const repl = new TerminalRepl([sniffer, '--iface', name, '--netns', netns]);
    t.teardown(() => {
      repl.close();
    });
    await repl.lastRow('ts-xdp> ');
    await repl.type('maps.exc');
    await repl.lastRow('ts-xdp> maps.exc');
    using socket = pair.openPacketSocket();
    socket.send(frame);
    await repl.shows(/UDP .*:4096 > .*:8192 /);
    await repl.lastRow('ts-xdp> maps.exc');
    await repl.type('\t\r');
    await repl.shows(/^map excluded_ports hash __u16 → __u8, 1024 entries$/);
    await repl.type('maps.ro\t');
    await repl.lastRow('ts-xdp> maps[".rodata"]');
    await repl.type('\x15');

    const wrapped = `'${'x'.repeat(200)}'`;
    repl.paste(wrapped);
    await repl.shows(/^x+'$/);
    const rows = repl.screen.rows.length;
    socket.send(frame);
    socket.send(frame);
    await repl.shows(/^x+'$/);
    const deadline = performance.now() + 5000;
    while (repl.screen.rows.length < rows + 2 && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const screen = repl.screen.rows;
    t.match(screen.slice(-4, -2), [/ UDP /, / UDP /], 'two events, without a gap');
    t.equal(screen.slice(-2).join(''), `ts-xdp> ${wrapped}`, 'a line of two rows stays whole');

    await repl.type('\x15await new Promise((done) => setTimeout(done, 600, "over"))\r');
    socket.send(frame);
    await repl.shows(/^'over'$/);
    await repl.lastRow('ts-xdp> ');
    t.equal(
      repl.screen.rows.filter((row) => row.startsWith('ts-xdp>')).length,
      3,
      'no prompt is drawn while a line runs',
    );

    await repl.type('\x04');
    t.equal(await repl.ended, 0);
    t.same(xdpState(name, netns).programId, undefined, 'Ctrl-D detaches');
  },
);

t.test('a closed session has nothing open, and takes its names back', { skip: notRoot }, (t) => {
  using pair = VethPair.open();
  const names = Object.getOwnPropertyNames(globalThis);
  const cycle = (): void => {
    const options = { netns: pair.netns, onEvent: () => undefined, note: () => undefined };
    const session = new Session({ ...options, openObject: (path) => ObjectFile.open(path) });
    const scope = new Scope(session);
    session.load(sniffer, { iface: pair.receiver.name });
    t.ok('excluded_ports' in globalThis && 'attachXdp' in globalThis);
    scope.close();
    session.close();
    session.close();
  };
  cycle();
  const open = openDescriptors();
  for (let round = 0; round < 5; round++) cycle();
  t.same(openDescriptors(), open);
  t.same(Object.getOwnPropertyNames(globalThis), names);
  t.end();
});
