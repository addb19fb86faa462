/** Runs an asynchronous action on every item, `limit` at a time; the results are in the order of the items. */
export async function mapLimited<Item, Result>(
  items: readonly Item[],
  { limit, action }: { limit: number; action: (item: Item) => Promise<Result> },
): Promise<Result[]> {
  const results = new Map<number, Result>();
  let next = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) {
      results.set(index, await action(items[index] as Item));
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, work));
  return items.map((_, index) => results.get(index) as Result);
}
