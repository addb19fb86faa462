/** `ts-xdp load package.json`, as eunomia's `ecli run` does. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import t from 'tap';
import { Cli, notRoot, runCli } from '../helpers/cli.ts';
import { xdpState } from '../helpers/kernel-objects.ts';
import { inProject } from '../helpers/project-root.ts';
import { withVethPair } from '../helpers/veth.ts';

const skip = notRoot;
const folder = mkdtempSync(join(tmpdir(), 'ts-xdp-package-'));
t.teardown(() => {
  rmSync(folder, { recursive: true });
});

const object = readFileSync(inProject('bpf/monitor.bpf.o'));
const path = join(folder, 'package.json');
const packed = { bpf_object: deflateSync(object).toString('base64'), bpf_object_size: object.length };
writeFileSync(path, JSON.stringify({ ...packed, meta: { bpf_skel: { obj_name: 'watch_bpf' } } }));

t.test('a package is loaded, attached and followed', { skip }, (t) =>
  withVethPair(async (pair) => {
    const where = ['--iface', pair.receiver.name, '--netns', String(pair.namespaceName)];
    const cli = new Cli(['load', path, '--prog', 'capture_packet_data', ...where, '--json']);
    t.match(await cli.attached(), { program: 'capture_packet_data' });
    t.ok(xdpState(pair.receiver.name, pair.namespaceName).programId);
    const { code } = await cli.stop();
    t.equal(code, 0);
    t.equal(xdpState(pair.receiver.name, pair.namespaceName).programId, undefined);
  }),
);

t.test('a package is verified', { skip }, async (t) => {
  const { code, stderr } = await runCli(['verify', path]);
  t.same([code, stderr], [0, '']);
});
