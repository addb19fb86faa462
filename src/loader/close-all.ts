/** Last made, first closed; every one is closed, and the first failure is what is thrown. */
export function closeAll(owned: readonly { close(): void }[]): void {
  const failures: unknown[] = [];
  for (const resource of owned.toReversed()) {
    try {
      resource.close();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
