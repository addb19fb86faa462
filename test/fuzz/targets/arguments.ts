/** What people write on the command line, at the prompt and in files of command lines. */
import { commandLines } from '../../../src/cli/batch/run.ts';
import { UsageError } from '../../../src/cli/exit-code.ts';
import { parseByteWords } from '../../../src/cli/map/byte-words.ts';
import {
  parseAssignment,
  parseCount,
  parseDuration,
  parseExistingMap,
  parseId,
  parseList,
  parseMapAssignment,
  parsePriority,
  parseProcessId,
} from '../../../src/cli/parse-option.ts';
import { ArgumentError, ValueError } from '../../../src/errors.ts';
import { parseUsdtArguments } from '../../../src/link/usdt-arguments.ts';
import { ipPrefixCodec } from '../../../src/maps/ip-prefix.ts';
import { parseIpAddress, parseMacAddress } from '../../../src/netlink/index.ts';
import { completeNames } from '../../../src/repl/completion.ts';
import { demand } from '../expected-errors.ts';
import type { FuzzTarget } from '../target.ts';
import { textTarget } from '../text-target.ts';

const TEXTS = [
  ...[
    '10s',
    '500ms',
    '17',
    'tcp,udp',
    'name=value',
    'map=id:7',
    'map=/sys/fs/bpf/x',
    'ports[80]=1',
    'hex 01 02 0a ff',
  ],
  ...[
    '10.0.0.1',
    '2001:db8::1',
    '::ffff:10.0.0.1',
    'fe80::1%eth0',
    '10.0.0.0/8',
    '2001:db8::/32',
    '02:00:00:00:00:01',
  ],
  ...['maps["', "collection.map('ports", 'programs.xdp', '.attach eth0 x', 'maps..rod', 'variables[`a'],
  'map update id 7 key 1 2 "3 4" value hex 00 # comment\nprog show \\\n  name xdp\n',
  '-4@%edi 8@-16(%rbp) 1@-96(%rbp,%rax,8) 4@$5',
  '-4@[sp, 12] 8@x0 4@5 8@[x29, -16]',
];
const WORDS = [
  ...[
    '=',
    '[',
    ']',
    ']=',
    ':',
    '::',
    '/',
    '%',
    '"',
    "'",
    '\\\n',
    '#',
    ',',
    ' ',
    '.',
    'hex ',
    '0x',
    '-',
    '\n',
    'ms',
  ],
  ...['maps[', 'collection.', '@', '(%rbp', '9'.repeat(24), '255', '128', '\u00e9'],
];

/** A name of any kind at the prompt. */
const names = {
  members: () => ['ports', '.rodata', '__proto__'],
  interfaces: () => ['eth0'],
  attached: () => ['lo'],
};

export function argumentTarget(): FuzzTarget {
  const view = new DataView(new ArrayBuffer(32));
  return textTarget('arguments', { texts: TEXTS, words: WORDS }, (text) => {
    const prefixes = [ipPrefixCodec(8), ipPrefixCodec(20)];
    const readers: readonly (() => unknown)[] = [
      () => parseDuration(text),
      () => parseCount(text),
      () => parseId(text),
      () => parseProcessId(text),
      () => parsePriority(text),
      () => parseList(text, ['tcp', 'udp']),
      () => parseAssignment(text),
      () => parseExistingMap(text),
      () => parseMapAssignment(text),
      () => parseMacAddress(text),
      () => commandLines(text),
      () => parseUsdtArguments(text, 'x64'),
      () => parseUsdtArguments(text, 'arm64'),
      ...prefixes.map((codec) => () => {
        codec.write(view, 0, text);
        codec.read(view, 0);
      }),
    ];
    const taken = readers.filter(isTaken).length;
    const address = isTaken(() => {
      demand([4, 16].includes(parseIpAddress(text).length), 'an address has another number of bytes');
    });
    parseByteWords(text.split(' '), 4);
    completeNames(text, names);
    return taken > 0 || address ? 'read' : 'refused';
  });
}

/** Errors of the command line are about how it is written, and have no promised beginning. */
function isTaken(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch (error) {
    if (error instanceof UsageError || error instanceof ArgumentError || error instanceof ValueError)
      return false;
    throw error;
  }
}
