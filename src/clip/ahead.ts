/** Prepares what comes next while its consumer still works. */

/** The same items, but begins each while the consumer still works on the one before. */
export async function* ahead<T>(items: AsyncIterator<T, void>): AsyncGenerator<T, void, void> {
  for (let next = items.next(); ; ) {
    const { done, value } = await next;
    if (done) return;
    next = items.next();
    next.catch(() => {}); // the await above reports it, unless the consumer has left
    yield value;
  }
}
