/** Runs something for each of several things, at most so many at a time; what comes of it is told in their order, as soon as it is there. Behind `signal` no more begin. */
export async function* inOrder<Item, Found extends object>(
  items: readonly Item[],
  most: number,
  run: (item: Item) => Promise<Found>,
  signal?: AbortSignal,
): AsyncGenerator<Found, void> {
  const found: Found[] = [];
  const running = new Set<Promise<void>>();
  const begin = (at: number): void => {
    const one = run(items[at]!).then((what) => {
      found[at] = what;
      running.delete(one);
    });
    running.add(one);
  };
  for (let told = 0, begun = 0; told < items.length; ) {
    while (running.size < most && begun < items.length && !signal?.aborted) begin(begun++);
    if (running.size === 0) return;
    await Promise.race(running);
    while (found[told] !== undefined) yield found[told++]!;
  }
}
