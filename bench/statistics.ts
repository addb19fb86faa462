/** The middle of the sorted values, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = sorted.length >> 1;
  const [below, above] = [sorted[middle - 1], sorted[middle]];
  if (above === undefined) throw new Error('Cannot take the median of nothing');
  return sorted.length % 2 === 1 || below === undefined ? above : (below + above) / 2;
}

/** To as many decimals, for printing. */
export function round(value: number, decimals: number): number {
  return Number(value.toFixed(decimals));
}
