/** bpf/sniffer.bpf.o with libbpf, as bpftool has it: no part of it may be readable by our own loader only. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { inProject } from '../helpers/project-root.ts';

const object = inProject('bpf/sniffer.bpf.o');
const notRoot = process.getuid?.() === 0 ? false : 'loading a BPF program and mounting bpffs need root';

interface ProgramInfo {
  type: string;
  map_ids: number[];
}

t.test('libbpf loads the object, anchors and all, and makes no map of them', { skip: notRoot }, (t) => {
  const bpffs = mkdtempSync(join(tmpdir(), 'ts-xdp-bpffs-'));
  execFileSync('mount', ['-t', 'bpf', 'bpf', bpffs]);
  t.teardown(() => {
    execFileSync('umount', [bpffs]);
    rmdirSync(bpffs);
  });
  const pin = join(bpffs, 'sniffer');
  const load = spawnSync('bpftool', ['prog', 'load', object, pin], { encoding: 'utf8' });
  t.equal(load.status, 0, load.stderr);

  const show = execFileSync('bpftool', ['-j', 'prog', 'show', 'pinned', pin], { encoding: 'utf8' });
  const { type, map_ids } = JSON.parse(show) as ProgramInfo;
  t.equal(type, 'xdp');
  const names = map_ids.map((id) => {
    const map = execFileSync('bpftool', ['-j', 'map', 'show', 'id', String(id)], { encoding: 'utf8' });
    return (JSON.parse(map) as { name: string }).name;
  });
  t.same(names.sort(), [
    'events',
    'events_v6',
    'excluded_ports',
    'filter_settings',
    'iface_configs',
    'iface_names',
    'included_ports',
    'local_addresses',
    'sniffer.rodata',
    'stats',
  ]);
  t.end();
});
