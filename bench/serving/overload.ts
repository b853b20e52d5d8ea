/** What a server does under far more load than it can take, and right after it. */

import { setInterval } from 'node:timers/promises';
import type { Ask, LoadReport } from './load.ts';
import type { LoadGenerator, ServerProcess } from './processes.ts';

interface OverloadOptions {
  readonly server: ServerProcess;
  readonly generator: LoadGenerator;
  readonly url: string;
  readonly asks: readonly Ask[];
  /** That saturate it. */
  readonly clients: number;
  readonly seconds: number;
  /** Requests a second. */
  readonly rate: number;
}

/** Seconds after the load within which the server must be as fast as before. */
const recovery = 2;
const watchSeconds = 1;

/** Full speed before, the overload, and full speed again. */
export async function measureOverload({ server, generator, rate, seconds, ...load }: OverloadOptions) {
  const { url, asks, clients } = load;
  const closed = { url, asks, clients, seconds: 10, first: 0 };
  const before = await generator.load({ ...closed, warmUpSeconds: 2 });
  const calm = await server.observe();
  const resident: number[] = [];
  const watching = new AbortController();
  const watch = (async () => {
    for await (const _ of setInterval(1000 * watchSeconds, undefined, { signal: watching.signal })) {
      if (!server.runs) return;
      resident.push(server.residentNow());
    }
  })().catch(() => {}); // it ends by being aborted
  const overload = await generator.load({ url, asks, rate, seconds, warmUpSeconds: 0, first: 0 });
  const observed = server.runs ? await server.observe() : undefined;
  watching.abort();
  await watch;
  const after = await generator.load({ ...closed, warmUpSeconds: recovery });
  const third = Math.floor(resident.length / 3);
  return {
    requestsPerSecond: Number(rate.toFixed(1)),
    seconds,
    crashed: !server.runs,
    ...{ sent: overload.sent, answered: overload.answered, wrong: overload.wrong, wrongs: overload.wrongs },
    ...{ refused: overload.refused, refusedWithoutRetryAfter: overload.refusedWithoutRetryAfter },
    ...{ failed: overload.failed, lateness: overload.lateness },
    answersPerSecond: { before: speed(before), meanwhile: speed(overload), after: speed(after) },
    answerMilliseconds: overload.answerTimes,
    refusalMilliseconds: overload.refusalTimes,
    mainLoopDelay: { calm: calm.loopDelay, overload: observed?.loopDelay },
    residentMiB: {
      before: mebibytes(calm.resident),
      thirds: [0, 1, 2].map((part) =>
        mebibytes(Math.max(0, ...resident.slice(part * third, (part + 1) * third))),
      ),
    },
  };
}

function speed({ answersPerSecond }: LoadReport): number {
  return Number(answersPerSecond.toFixed(1));
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}
