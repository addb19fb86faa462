import type { BitcoinAddress } from './bitcoin-address.ts';
import { findBitcoinAddresses } from './bitcoin-address.ts';
import { shannonEntropy } from './entropy.ts';
import type { ExecutableHeader } from './executable-header.ts';
import { findExecutableHeader } from './executable-header.ts';
import type { OnionAddress } from './onion-address.ts';
import { findOnionAddresses } from './onion-address.ts';

/** What the first bytes of a payload show. Findings, not a verdict: a mail about ransomware has its words too. */
export interface PayloadAnalysis {
  /** Bytes that were looked at. */
  readonly length: number;
  /** Shannon entropy in bits per byte, 0 to 8. 512 encrypted or compressed bytes have about 7.59. */
  readonly entropy: number;
  readonly executable: ExecutableHeader | undefined;
  readonly onionAddresses: readonly OnionAddress[];
  readonly bitcoinAddresses: readonly BitcoinAddress[];
  /** Names of encryption functions of Windows and OpenSSL, as they stand in import tables and scripts. */
  readonly cryptoApiNames: readonly string[];
  /** Phrases of ransom notes, in lower case. */
  readonly ransomNotePhrases: readonly string[];
}

/**
 * Analyses a payload. Patterns are looked for whatever the entropy is: a ransom note is text, with an entropy far below
 * that of what it is about, so a threshold on entropy would keep every note from being found.
 */
export function analyzePayload(payload: Uint8Array): PayloadAnalysis {
  // latin1 maps every byte to one character, so that binary data around a pattern does no harm.
  const text = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('latin1');
  return {
    length: payload.length,
    entropy: shannonEntropy(payload),
    executable: findExecutableHeader(payload),
    onionAddresses: findOnionAddresses(text),
    bitcoinAddresses: findBitcoinAddresses(text),
    cryptoApiNames: distinctMatches(text, cryptoApiPattern),
    ransomNotePhrases: distinctMatches(text.toLowerCase().replaceAll(/\s+/g, ' '), ransomNotePattern),
  };
}

// Windows CryptoAPI and CNG, then OpenSSL. A name counts as a whole, with the A, W and Ex of its variants.
const cryptoApiPattern = new RegExp(
  '(?<![A-Za-z0-9_])(?:' +
    '[BN]?Crypt(?:Encrypt|Decrypt|GenRandom|GenerateSymmetricKey|GenerateKeyPair|OpenAlgorithmProvider|ImportKeyPair)' +
    '|Crypt(?:AcquireContext|GenKey|DeriveKey|ImportKey|ExportKey|DestroyKey|CreateHash|HashData|SetKeyParam)' +
    '|Crypt(?:ProtectData|UnprotectData|ImportPublicKeyInfo|StringToBinary)' +
    '|EVP_(?:Encrypt|Decrypt|Cipher|Seal)(?:Init|Update|Final)|EVP_aes_(?:128|192|256)_[a-z0-9]+|EVP_chacha20[a-z0-9_]*' +
    '|AES_(?:set_encrypt_key|set_decrypt_key|encrypt|decrypt|cbc_encrypt)|RSA_(?:public|private)_(?:encrypt|decrypt)' +
    ')(?:(?:_?[Ee]x)?[AW]?(?![A-Za-z0-9_]))',
  'g',
);

// No word of three letters: one payload of random bytes in 4,000 has `btc` in some case.
const ransomNotePattern = new RegExp(
  '(?<![a-z0-9])(?:' +
    '(?:all )?(?:of )?your (?:important )?(?:files|documents|data|network|computer|servers) (?:have been|has been|are|is|were|was) ' +
    '(?:encrypted|locked|stolen|downloaded|compromised)' +
    '|(?:restore|recover|decrypt|unlock|get back) (?:all )?(?:of )?your (?:files|data|documents)' +
    '|how to (?:decrypt|recover|restore)(?: your)?(?: files| data)?' +
    '|decrypt(?:ion|or|er)?(?: key| tool| software)?|private key|ransom(?:ware)?|tor browser|bitcoins?|monero' +
    '|do not (?:rename|modify|try to decrypt|delete)|proof of payment|pay(?:ment)? (?:the ransom|within|deadline)' +
    ')(?![a-z0-9])',
  'g',
);

function distinctMatches(text: string, pattern: RegExp): string[] {
  return [...new Set(Array.from(text.matchAll(pattern), ([match]) => match))];
}
