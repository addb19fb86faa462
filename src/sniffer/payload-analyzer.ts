import type { PayloadAnalysis } from './payload-analysis.ts';

/** Analyses the first bytes of a payload; takes them as they are and keeps nothing. */
export type PayloadAnalyzer = (payload: Uint8Array) => PayloadAnalysis;

/**
 * Loads the analysis of payloads, which needs node:crypto (2 ms) for the checksums of addresses: commands that only
 * print events do not wait for it.
 *
 * @example
 * const analyze = await loadPayloadAnalyzer();
 * analyze(event.payload).bitcoinAddresses; // [{ address: 'bc1…', kind: 'segwit' }]
 */
export async function loadPayloadAnalyzer(): Promise<PayloadAnalyzer> {
  const { analyzePayload } = await import('./payload-analysis.ts');
  return analyzePayload;
}
