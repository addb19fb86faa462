/** What is published works: packed, installed into an empty folder, run with npx on a real interface. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { ethernet, EtherType, ipv4, Protocol, udp } from '../fixtures/frames.ts';
import { Cli, notRoot, projectRoot, runCli } from '../helpers/cli.ts';
import { withVethPair } from '../helpers/veth.ts';

const run = promisify(execFile);

t.test('every exported class bears the name that it is exported by', async (t) => {
  const { exports } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as {
    exports: Record<string, string | { default: string }>;
  };
  let classes = 0;
  for (const [subpath, target] of Object.entries(exports)) {
    // What is imported for its effect, which is a hook for all that is imported from then on, exports no classes.
    if (typeof target === 'string' || subpath === './register') continue;
    const module = (await import(pathToFileURL(join(projectRoot, target.default)).href)) as object;
    for (const [name, value] of Object.entries(module) as [string, unknown][]) {
      if (typeof value !== 'function' || !/^class\b/.test(Function.prototype.toString.call(value))) continue;
      t.equal(value.name, name, `${subpath} ${name}`);
      classes++;
    }
  }
  t.ok(classes > 80, `${classes} classes`);
});

t.test('the packed package, installed into an empty folder', { skip: notRoot }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'ts-xdp-package-'));
  t.teardown(() => {
    rmSync(folder, { recursive: true });
  });
  // The build is there already: npm test makes it before.
  await run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], {
    cwd: projectRoot,
  });
  const [archive = ''] = readdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{"name":"empty","private":true,"type":"module"}');
  await run('npm', ['install', '--no-audit', '--no-fund', '--silent', join(folder, archive)], {
    cwd: folder,
  });

  await t.test('npx ts-xdp load sniffer.bpf.o --iface … --json', async (t) => {
    await withVethPair(async (pair) => {
      const cli = new Cli(
        [
          'load',
          'sniffer.bpf.o',
          '--iface',
          pair.receiver.name,
          '--netns',
          pair.namespaceName ?? '',
          '--count',
          '1',
          '--json',
        ],
        { cwd: folder, command: ['npx', '--no-install', 'ts-xdp'], environment: { HOME: folder } },
      );
      const attached = await cli.attached();
      t.match(attached, {
        kind: 'xdp',
        program: 'xdp_sniffer_enhanced',
        target: pair.receiver.name,
        via: 'link',
      });
      const socket = pair.openPacketSocket();
      const payload = new TextEncoder().encode('hello');
      socket.send(
        ethernet(
          EtherType.Ipv4,
          ipv4({ protocol: Protocol.Udp }, udp({ sourcePort: 40000, destinationPort: 443 }, payload)),
        ),
      );
      socket.close();
      const event = await cli.line('event');
      t.match(event, {
        map: 'events',
        struct: 'simple_event',
        data: {
          src_port: 40000,
          dst_port: 443,
          protocol: 17,
          payload_len: 5,
          source_interface: pair.receiver.name,
        },
      });
      // npx does not pass signals on, so the command ends by itself.
      const { code, lines } = await cli.ended;
      t.equal(code, 0);
      t.match(lines.at(-1), { type: 'summary', events: 1, lost: 0 });
    });
  });

  await t.test('npx ts-xdp monitor --iface … --json', async (t) => {
    await withVethPair(async (pair) => {
      const place = ['--iface', pair.receiver.name, '--netns', pair.namespaceName ?? ''];
      const { code, lines } = await runCli(['monitor', ...place, '--duration', '100ms', '--json'], {
        cwd: folder,
        command: ['npx', '--no-install', 'ts-xdp'],
        environment: { HOME: folder },
      });
      t.equal(code, 0);
      t.match(lines[0], { type: 'attached', program: 'capture_packet_data' }, 'its object is in the package');
      t.match(lines.at(-1), { type: 'summary', total: '0', lost: '0' });
    });
  });

  await t.test('the library, imported by its name', async (t) => {
    const script = `import { ObjectFile } from 'ts-xdp';
      const object = ObjectFile.open('node_modules/ts-xdp/bpf/sniffer.bpf.o');
      console.log(JSON.stringify([...object.programs.keys()]));`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: folder,
      env: { PATH: process.env['PATH'] },
    });
    t.strictSame(JSON.parse(stdout), [
      'xdp_sniffer_enhanced',
      'xdp_frags_sniffer',
      'xdp_bound_sniffer',
      'tc_sniffer_egress',
    ]);
  });
});
