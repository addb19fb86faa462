import { ArgumentError } from '../errors.ts';

const DEFAULT_BATCH = 1024;

export function checkBatchSize(batchSize = DEFAULT_BATCH): number {
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new ArgumentError(
      'batchSize',
      `Cannot read in batches of ${batchSize}: a positive whole number is wanted`,
    );
  }
  return batchSize;
}
