/**
 * Tries the packed package as those who install it have it: with several compilers and several Nodes, each in an empty
 * project of its own, and with what checks packages. Writes what came out to docs/packaging.md.
 *
 *     npm run test:package        as root; needs the registry
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ethernet, EtherType, ipv4, Protocol, udp } from '../test/fixtures/frames.ts';
import { Cli } from '../test/helpers/cli.ts';
import { withVethPair } from '../test/helpers/veth.ts';
import { COMPILER_OPTIONS, CONSUMER, IMPORTER } from './package/consumer-source.ts';
import { Project, type Outcome } from './package/project.ts';

const COMPILERS = ['5.9.3', '6.0.3', '7.0.2'];
const NODES = ['20', '22', '24', '26'];
const CHECKERS = ['publint@0.3.25', '@arethetypeswrong/cli@0.18.5'];
const DOCUMENT = 'docs/packaging.md';
const MARKER = '<!-- npm run test:package writes what follows. -->';

interface Row extends Outcome {
  readonly what: string;
}

interface Packed {
  readonly archive: string;
  readonly row: Row;
}

function pack(folder: string): Packed {
  const output = execFileSync('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
    encoding: 'utf8',
  });
  const [packed] = JSON.parse(output) as [
    { filename: string; size: number; unpackedSize: number; entryCount: number },
  ];
  const { filename, size, unpackedSize, entryCount } = packed;
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
  const installs = ['preinstall', 'install', 'postinstall'].filter((name) => Object.hasOwn(scripts, name));
  const what = `${megabytes(size)} packed, ${megabytes(unpackedSize)} unpacked, ${String(entryCount)} files, no install script`;
  return {
    archive: join(folder, filename),
    row: { what, passed: installs.length === 0, output: installs.join(', ') },
  };
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

async function checkPackage(folder: string, archive: string): Promise<Row[]> {
  const project = await Project.create(join(folder, 'checkers'), CHECKERS);
  return [
    { what: '`publint --strict`', ...(await project.run('publint', ['--strict', archive])) },
    { what: '`attw --profile esm-only`', ...(await project.run('attw', [archive, '--profile', 'esm-only'])) },
  ];
}

async function compile(
  folder: string,
  { archive, version }: { archive: string; version: string },
): Promise<Row[]> {
  const packages = [`typescript@${version}`, '@types/node@20', archive];
  const project = await Project.create(join(folder, `typescript-${version}`), packages);
  project.write('consumer.ts', CONSUMER);
  const rows: Row[] = [];
  for (const [module, resolution] of [
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ] as const) {
    const args = [...COMPILER_OPTIONS, '--module', module, '--moduleResolution', resolution, 'consumer.ts'];
    const outcome = await project.run('tsc', args);
    rows.push({ what: `TypeScript ${version}, \`strict\`, moduleResolution \`${resolution}\``, ...outcome });
  }
  return rows;
}

async function runOn(folder: string, { archive, major }: { archive: string; major: string }): Promise<Row[]> {
  const project = await Project.create(join(folder, `node-${major}`), [`node@${major}`, archive]);
  const { output } = await project.run('node', ['--version']);
  const version = `Node ${output.trim().slice(1)}`;
  copyFileSync('bpf/sniffer.bpf.o', join(project.folder, 'sniffer.bpf.o'));
  project.write('broken.o', 'no object at all');
  project.write('importer.mjs', IMPORTER);
  project.write('broken.mjs', `import './broken.o';`);
  const imported = await project.run('node', ['--import', 'ts-xdp/register', 'importer.mjs']);
  const broken = await project.run('node', ['--import', 'ts-xdp/register', 'broken.mjs']);
  return [
    { what: `${version}: \`ts-xdp load … --json\` on a veth`, ...(await loadOn(project)) },
    {
      what: `${version}: the library, and an object imported by \`ts-xdp/register\``,
      passed: imported.output.includes('true'),
      output: imported.output,
    },
    {
      what: `${version}: a file that is no object fails its import with ts-xdp's error`,
      passed: broken.output.includes('Cannot read the object'),
      output: broken.output,
    },
  ];
}

/** One packet, from the wire to a line of JSON. */
async function loadOn(project: Project): Promise<Outcome> {
  return withVethPair(async (pair) => {
    const { name } = pair.receiver;
    const args = ['load', 'sniffer.bpf.o', '--iface', name, '--netns', String(pair.namespaceName)];
    const cli = new Cli([...args, '--count', '1', '--json'], {
      cwd: project.folder,
      command: [project.bin('node'), join(project.folder, 'node_modules/ts-xdp/dist/cli/main.js')],
    });
    await cli.attached();
    const socket = pair.openPacketSocket();
    const datagram = udp({ sourcePort: 40000, destinationPort: 443 }, new Uint8Array(5));
    socket.send(ethernet(EtherType.Ipv4, ipv4({ protocol: Protocol.Udp }, datagram)));
    socket.close();
    const { code, lines, stdout, stderr } = await cli.ended;
    const seen = lines.some(({ data }) => data?.['dst_port'] === 443);
    return { passed: code === 0 && seen, output: `${stdout}${stderr}` };
  });
}

function writeDocument(rows: readonly Row[]): void {
  const text = readFileSync(DOCUMENT, 'utf8');
  const head = text.slice(0, text.indexOf(MARKER) + MARKER.length);
  const width = Math.max(...rows.map(({ what }) => what.length));
  const line = (what: string, result: string): string => `| ${what.padEnd(width)} | ${result.padEnd(6)} |`;
  const table = [
    line('what', 'result'),
    `| ${'-'.repeat(width)} | ------ |`,
    ...rows.map(({ what, passed }) => line(what, passed ? 'works' : 'fails')),
  ];
  writeFileSync(DOCUMENT, `${head}\n\n${table.join('\n')}\n`);
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'ts-xdp-package-'));
  try {
    const { archive, row } = pack(folder);
    const rows: Row[] = [row, ...(await checkPackage(folder, archive))];
    for (const version of COMPILERS) rows.push(...(await compile(folder, { archive, version })));
    for (const major of NODES) rows.push(...(await runOn(folder, { archive, major })));
    for (const { what, passed, output } of rows)
      console.log(passed ? `works: ${what}` : `FAILS: ${what}\n${output}`);
    writeDocument(rows);
    if (rows.some(({ passed }) => !passed)) process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

await main();
