/** Waits with patience that only counts while this process runs. */

/** Parts in which time is counted. */
const ticksOfPatience = 20;

/** Rejects after so much time. This process may have been suspended together with what it waits for: that does not count. */
export async function within<Result>(milliseconds: number, promise: Promise<Result>): Promise<Result> {
  const late = Promise.withResolvers<never>();
  let ticks = 0;
  const timer = setInterval(() => {
    ticks += 1;
    if (ticks === ticksOfPatience)
      late.reject(new Error(`no answer in ${Math.round(milliseconds / 1000)} s`));
  }, milliseconds / ticksOfPatience);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearInterval(timer);
  }
}
