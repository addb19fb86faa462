import { createHash } from 'node:crypto';
import t from 'tap';
import type { Test } from 'tap';
import { loadPayloadAnalyzer, shannonEntropy } from '../../src/sniffer/index.ts';
import type { PayloadAnalyzer } from '../../src/sniffer/index.ts';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** Marsaglia's xorshift with 32 bits: the top byte of each number. */
function randomBytes(seed: number): (length: number) => Uint8Array {
  let state = seed;
  return (length) =>
    Uint8Array.from({ length }, () => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return state >>> 24;
    });
}

/** E[H] of n uniform bytes: each of the 256 counts is binomial(n, 1/256), and H sums −(k/n)·log2(k/n) over them. */
function expectedEntropy(length: number): number {
  let probability = (255 / 256) ** length;
  let sum = 0;
  for (let count = 1; count <= length; count++) {
    probability *= (length - count + 1) / count / 255;
    sum -= probability * (count / length) * Math.log2(count / length);
  }
  return 256 * sum;
}

function meanEntropy(length: number, samples: number): { mean: number; standardError: number } {
  const next = randomBytes(length + 1);
  const entropies = Array.from({ length: samples }, () => shannonEntropy(next(length)));
  const mean = entropies.reduce((sum, entropy) => sum + entropy, 0) / samples;
  const variance = entropies.reduce((sum, entropy) => sum + (entropy - mean) ** 2, 0) / (samples - 1);
  return { mean, standardError: Math.sqrt(variance / samples) };
}

t.test('entropy where it can be said exactly', (t) => {
  t.equal(shannonEntropy(new Uint8Array(0)), 0);
  t.equal(shannonEntropy(new Uint8Array(512)), 0);
  t.equal(shannonEntropy(text('ab'.repeat(100))), 1);
  t.equal(shannonEntropy(text('abcdefgh')), 3);
  t.equal(shannonEntropy(Uint8Array.from({ length: 256 }, (_, index) => index)), 8);
  t.ok(Math.abs(shannonEntropy(text('aab')) - (Math.log2(3) - 2 / 3)) < 1e-12);
  t.end();
});

t.test('random bytes have the entropy that theory gives for their number', (t) => {
  t.equal(expectedEntropy(512).toFixed(2), '7.59', '512 random bytes');
  t.ok(expectedEntropy(207) > 7, '207 random bytes have more than 7 on average');
  t.ok(expectedEntropy(206) < 7, '206 have less');
  t.equal(expectedEntropy(205).toFixed(2), '7.00');
  for (const length of [64, 206, 207, 512]) {
    const { mean, standardError } = meanEntropy(length, 1000);
    const distance = Math.abs(mean - expectedEntropy(length)) / standardError;
    t.ok(
      distance < 4,
      `${String(length)} bytes: ${mean.toFixed(4)}, ${distance.toFixed(1)} standard errors from theory`,
    );
  }
  const many = meanEntropy(65536, 5);
  t.ok(
    Math.abs(8 - 255 / (2 * 65536 * Math.LN2) - many.mean) < 1e-4,
    "Miller and Madow's bias for many bytes",
  );
  t.end();
});

t.test('the patterns of a payload', async (t) => {
  const analyze = await loadPayloadAnalyzer();
  t.test('an empty payload has none', (t) => {
    t.strictSame(analyze(new Uint8Array(0)), {
      length: 0,
      entropy: 0,
      executable: undefined,
      onionAddresses: [],
      bitcoinAddresses: [],
      cryptoApiNames: [],
      ransomNotePhrases: [],
    });
    t.end();
  });
  t.test('a ransom note is found although its entropy is that of text', (t) => {
    ransomNote(t, analyze);
    t.end();
  });
  t.test('Bitcoin addresses', (t) => {
    bitcoin(t, analyze);
    t.end();
  });
  t.test('onion addresses', (t) => {
    onion(t, analyze);
    t.end();
  });
  t.test('executables', (t) => {
    executables(t, analyze);
    t.end();
  });
  t.test('names of encryption functions', (t) => {
    cryptoNames(t, analyze);
    t.end();
  });
  t.test('random payloads show nothing', (t) => {
    const next = randomBytes(99);
    const found = Array.from({ length: 2000 }, () => analyze(next(512))).filter(
      (result) =>
        result.executable !== undefined ||
        [
          result.onionAddresses,
          result.bitcoinAddresses,
          result.cryptoApiNames,
          result.ransomNotePhrases,
        ].some((list) => list.length > 0),
    );
    t.strictSame(found, []);
    t.end();
  });
});

const onionV3 = 'duckduckgogg42xjoc72x3sjasowoarfbgcmvfimaftt6twagswzczad.onion';

function ransomNote(t: Test, analyze: PayloadAnalyzer): void {
  const note = text(
    'ALL YOUR FILES HAVE BEEN\r\nENCRYPTED!\r\nTo recover your files you need our private key. Send 0.05 Bitcoin to\r\n' +
      `1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa and open ${onionV3} in the Tor Browser.\r\nDo not rename anything.`,
  );
  const result = analyze(note);
  t.ok(
    result.entropy > 4.5 && result.entropy < 6,
    `an entropy of ${result.entropy.toFixed(2)}, below any threshold of 7`,
  );
  t.strictSame(result.ransomNotePhrases, [
    'all your files have been encrypted',
    'recover your files',
    'private key',
    'bitcoin',
    'tor browser',
    'do not rename',
  ]);
  t.strictSame(result.bitcoinAddresses, [{ address: '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa', kind: 'p2pkh' }]);
  t.strictSame(result.onionAddresses, [{ address: onionV3, version: 3, checksumValid: true }]);
  t.equal(result.length, note.length);

  const behind = new Uint8Array(512);
  behind.set(randomBytes(5)(512 - note.length));
  behind.set(note, 512 - note.length);
  t.strictSame(analyze(behind).ransomNotePhrases, result.ransomNotePhrases, 'also behind random bytes');
  t.strictSame(
    analyze(text('ransoms, decryptions, bitcoinj, unbitcoin')).ransomNotePhrases,
    [],
    'parts of other words',
  );
}

/** Vectors of BIP 173 and BIP 350, of Bitcoin's first block, and changes of them. */
function bitcoin(t: Test, analyze: PayloadAnalyzer): void {
  const valid: [address: string, kind: string][] = [
    ['1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa', 'p2pkh'],
    ['1111111111111111111114oLvT2', 'p2pkh'],
    ['3P14159f73E4gFr7JterCCQh9QjiTjiZrG', 'p2sh'],
    ['BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4', 'segwit'],
    ['bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4', 'segwit'],
    ['bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3', 'segwit'],
    ['bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y', 'segwit'],
    ['BC1SW50QGDZ25J', 'segwit'],
    ['bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs', 'segwit'],
    ['bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0', 'segwit'],
  ];
  for (const [address, kind] of valid) {
    t.strictSame(analyze(text(`pay (${address}), now`)).bitcoinAddresses, [{ address, kind }], address);
  }
  const invalid: [address: string, why: string][] = [
    ['1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb', 'a wrong checksum'],
    ['1A1zP1eP5QGefi2DMPTfTL5SLmv7Divfna', 'letters of another case'],
    ['11A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa', 'a zero byte more than it has'],
    ['x1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa', 'the end of a longer word'],
    ['1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa0', 'the start of a longer word'],
    ['mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn', 'an address of the test network'],
    ['bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5', 'BIP 173: invalid checksum'],
    [
      'bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd',
      'BIP 350: checksum of bech32 for version 1',
    ],
    [
      'BC1S0XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ54WELL',
      'BIP 350: checksum of bech32 for version 16',
    ],
    ['bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh', 'BIP 350: checksum of bech32m for version 0'],
    [
      'bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4',
      'BIP 350: a character outside of the alphabet',
    ],
    ['BC130XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ7ZWS8R', 'BIP 350: witness version 17'],
    ['bc1pw5dgrnzv', 'BIP 350: a program of 1 byte'],
    [
      'bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v8n0nx0muaewav253zgeav',
      'BIP 350: a program of 41 bytes',
    ],
    ['BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P', 'BIP 350: version 0 with a program of 16 bytes'],
    [
      'bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v07qwwzcrf',
      'BIP 350: more than 4 bits of padding',
    ],
    ['tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx', 'the test network'],
    ['bc1gmk9yu', 'BIP 350: no data'],
  ];
  for (const [address, why] of invalid) t.strictSame(analyze(text(` ${address} `)).bitcoinAddresses, [], why);
  const twice = '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa';
  t.equal(
    analyze(text(`${twice} ${twice}`)).bitcoinAddresses.length,
    1,
    'the same address twice counts once',
  );
}

function onion(t: Test, analyze: PayloadAnalyzer): void {
  const find = (value: string): unknown => analyze(text(value)).onionAddresses;
  const v2 = { address: 'expyuzz4wqqyqhjn.onion', version: 2, checksumValid: undefined };
  const v3 = { address: onionV3, version: 3, checksumValid: true };
  t.strictSame(find('http://expyuzz4wqqyqhjn.onion/about'), [v2], 'version 2 has 16 characters');
  t.strictSame(
    find(`HTTP://WWW.${onionV3.toUpperCase()}:80 and again ${onionV3}`),
    [v3],
    'any case, with a subdomain, once',
  );
  t.strictSame(
    find(`${onionV3}.to and expyuzz4wqqyqhjn.onion.`),
    [v3, v2],
    'behind a gateway, at the end of a sentence',
  );
  t.strictSame(find(onionV3.replace('duck', 'luck')), [
    { ...v3, address: onionV3.replace('duck', 'luck'), checksumValid: false },
  ]);
  // An address of our own by rend-spec-v3, with another version byte: the checksum is right, the version is not.
  t.strictSame(find(onionOf(new Uint8Array(32).fill(7), 3)), [
    { address: onionOf(new Uint8Array(32).fill(7), 3), version: 3, checksumValid: true },
  ]);
  t.strictSame(find(onionOf(new Uint8Array(32).fill(7), 4)), [
    { address: onionOf(new Uint8Array(32).fill(7), 4), version: 3, checksumValid: false },
  ]);
  for (const none of [
    'expyuzz4wqqyqhj.onion',
    'aexpyuzz4wqqyqhjn.onion',
    'expyuzz4wqqyqhj1.onion',
    'expyuzz4wqqyqhjn.onions',
    'expyuzz4wqqyqhjn.union',
    '8expyuzz4wqqyqhjn.onion',
  ]) {
    t.strictSame(find(none), [], none);
  }
}

function onionOf(key: Uint8Array, version: number): string {
  const checksum = createHash('sha3-256')
    .update('.onion checksum')
    .update(key)
    .update(Uint8Array.of(version))
    .digest();
  const bits = [...key, checksum[0] ?? 0, checksum[1] ?? 0, version]
    .map((byte) => byte.toString(2).padStart(8, '0'))
    .join('');
  const letters =
    bits.match(/.{5}/g)?.map((group) => 'abcdefghijklmnopqrstuvwxyz234567'.charAt(parseInt(group, 2))) ?? [];
  return `${letters.join('')}.onion`;
}

/** The first bytes of a Windows program, as linkers write them. */
function windowsProgram({ signatureOffset = 0x80, machine = 0x8664, length = 0x100 } = {}): Uint8Array {
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  bytes.set(text('MZ'));
  view.setUint32(0x3c, signatureOffset, true);
  if (signatureOffset + 24 <= length) {
    bytes.set(text('PE\0\0'), signatureOffset);
    view.setUint16(signatureOffset + 4, machine, true);
    view.setUint32(signatureOffset + 8, 0x5f3759df, true);
  }
  return bytes;
}

function executables(t: Test, analyze: PayloadAnalyzer): void {
  const find = (bytes: Uint8Array): unknown => analyze(bytes).executable;
  const pe = { offset: 0, format: 'pe', signatureOffset: 0x80, machine: 'amd64', timestamp: 0x5f3759df };
  t.strictSame(find(windowsProgram()), pe);
  t.strictSame(find(windowsProgram({ machine: 0x14c })), { ...pe, machine: 'i386' });
  t.strictSame(find(windowsProgram({ machine: 0x1234 })), { ...pe, machine: '0x1234' });
  t.strictSame(
    find(windowsProgram().subarray(0, 0x90)),
    { ...pe, machine: undefined, timestamp: undefined },
    'cut after the signature',
  );
  const mz = { offset: 0, format: 'mz', signatureOffset: 0x80, machine: undefined, timestamp: undefined };
  t.strictSame(find(windowsProgram().subarray(0, 0x82)), mz, 'cut within the signature');
  t.strictSame(find(windowsProgram({ length: 64 })), mz, 'only the DOS header');
  t.equal(find(windowsProgram({ length: 64 }).subarray(0, 63)), undefined, 'less than the DOS header');
  t.strictSame(
    find(windowsProgram({ signatureOffset: 4, length: 0x100 })),
    { ...pe, signatureOffset: 4, timestamp: 0x5f3759df, machine: 'amd64' },
    'a tiny program, whose headers overlap',
  );

  const broken = windowsProgram();
  broken[0x80] = 'N'.charCodeAt(0);
  t.equal(find(broken), undefined, 'e_lfanew points inside, and no signature is there');
  t.equal(find(windowsProgram({ signatureOffset: 0x81, length: 64 })), undefined, 'e_lfanew is not aligned');
  t.equal(
    find(windowsProgram({ signatureOffset: 0x1000_0000, length: 64 })),
    undefined,
    'e_lfanew is beyond 256 MiB',
  );
  t.equal(find(text(`MZ ${'is how this letter starts. '.repeat(9)}`)), undefined, 'text');

  const download = new Uint8Array(400);
  download.set(text('HTTP/1.1 200 OK\r\nX: MZ\r\n\r\n'));
  download.set(windowsProgram(), 100);
  t.strictSame(find(download), { ...pe, offset: 100 }, 'behind the header of a protocol');
  t.equal(find(download.subarray(0, 200)), undefined, 'MZ alone proves nothing there');
}

function cryptoNames(t: Test, analyze: PayloadAnalyzer): void {
  const find = (value: string): readonly string[] => analyze(text(value)).cryptoApiNames;
  t.strictSame(
    find('\x02\0CryptEncrypt\0\x11\x01CryptAcquireContextW\0BCryptDecrypt\0\0CryptEncrypt\0'),
    ['CryptEncrypt', 'CryptAcquireContextW', 'BCryptDecrypt'],
    'an import table; each name once',
  );
  t.strictSame(find('EVP_EncryptInit_ex(ctx, EVP_aes_256_cbc(), 0, k, v); RSA_public_encrypt(n)'), [
    'EVP_EncryptInit_ex',
    'EVP_aes_256_cbc',
    'RSA_public_encrypt',
  ]);
  t.strictSame(find('[DllImport("advapi32")] extern bool CryptDeriveKey(...)'), ['CryptDeriveKey']);
  t.strictSame(find('MyCryptEncrypt CryptEncrypted cryptencrypt Crypt Encrypt AES RSA'), [], 'other words');
}
