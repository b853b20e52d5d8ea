/** The load generator, a process of its own: sends requests as told, checks every answer, and tells how long they took. */

import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { uniforms } from '../../src/core/index.ts';

/** A result: the image's id, or its row, and its score. */
export type Found = readonly [key: string | number, score: number];

export interface Ask {
  readonly body: string;
  /** The right results, the nearest first, and some behind those that are asked for. */
  readonly right: readonly Found[];
}

export interface LoadPlan {
  /** Where requests are posted. */
  readonly url: string;
  readonly asks: readonly Ask[];
  readonly seconds: number;
  /** Seconds at the beginning whose requests are checked, but not counted. */
  readonly warmUpSeconds: number;
  /** So many clients, each of whom waits for an answer before it asks again … */
  readonly clients?: number;
  /** … or so many requests a second, at random moments, whether there are answers or not. */
  readonly rate?: number;
  /** The number of the first ask. */
  readonly first: number;
}

export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly greatest: number;
}

export interface LoadReport {
  readonly seconds: number;
  readonly sent: number;
  /** Answers of status 200. */
  readonly answered: number;
  readonly wrong: number;
  /** The first wrong answers, in words. */
  readonly wrongs: readonly string[];
  /** The mean part of the nearest images that answers have. */
  readonly recall: number;
  /** Statuses 429 and 503. */
  readonly refused: number;
  readonly refusedWithoutRetryAfter: number;
  /** Other statuses, and errors of connections, with their numbers. */
  readonly failed: Readonly<Record<string, number>>;
  readonly answersPerSecond: number;
  /** Milliseconds from sending to the last byte. */
  readonly answerTimes: Percentiles;
  readonly refusalTimes: Percentiles;
  /** How late requests were sent: if this is much, the generator itself is too slow. */
  readonly lateness: Percentiles;
}

/** Of a score. */
const tolerance = 2e-5;
/** The part of the nearest images that an answer must have. */
const leastRecall = 0.8;
const patience = 60_000;

async function load(plan: LoadPlan): Promise<LoadReport> {
  const agent = new Agent({ keepAlive: true, maxSockets: Infinity, maxFreeSockets: 1024 });
  const answerTimes: number[] = [];
  const refusalTimes: number[] = [];
  const lateness: number[] = [];
  const failed: Record<string, number> = {};
  const wrongs: string[] = [];
  const recalls: number[] = [];
  const counts = { sent: 0, answered: 0, wrong: 0, refused: 0, refusedWithoutRetryAfter: 0 };
  let next = plan.first;
  const start = performance.now();
  const counted = start + 1000 * plan.warmUpSeconds;
  const end = counted + 1000 * plan.seconds;

  const askOnce = async () => {
    const { body, right } = plan.asks[next++ % plan.asks.length]!;
    const sent = performance.now();
    const isCounted = sent >= counted;
    if (isCounted) counts.sent += 1;
    try {
      const { status, text, retryAfter } = await post(plan.url, body, agent);
      const done = performance.now();
      if (status === 200) {
        const judged = judge(text, right);
        if ('fault' in judged) {
          counts.wrong += 1;
          if (wrongs.length < 5) wrongs.push(`${judged.fault}: ${body}`);
        } else recalls.push(judged.recall);
        if (!isCounted) return;
        counts.answered += 1;
        answerTimes.push(done - sent);
      } else if (status === 429 || status === 503) {
        if (isCounted) {
          counts.refused += 1;
          refusalTimes.push(done - sent);
        }
        if (retryAfter === undefined) counts.refusedWithoutRetryAfter += 1;
      } else failed[status] = (failed[status] ?? 0) + 1;
    } catch (error) {
      const name = (error as NodeJS.ErrnoException).code ?? `${error}`;
      failed[name] = (failed[name] ?? 0) + 1;
    }
  };

  if (plan.clients !== undefined) {
    const client = async () => {
      while (performance.now() < end) await askOnce();
    };
    await Promise.all(Array.from({ length: plan.clients }, client));
  } else {
    const waiting = new Set<Promise<void>>();
    let due = start;
    let number = 0;
    while (due < end) {
      const [drawn] = uniforms({ seed: 11, purpose: 'order', moment: plan.first + number++, row: 0 }, 1);
      due += (-Math.log(1 - drawn!) * 1000) / plan.rate!; // a Poisson process
      const wait = due - performance.now();
      if (wait > 1) await sleep(wait);
      lateness.push(Math.max(0, performance.now() - due));
      const asked = askOnce().finally(() => waiting.delete(asked));
      waiting.add(asked);
    }
    await Promise.all(waiting);
  }
  const seconds = Math.max(end, performance.now()) - counted;
  agent.destroy();
  return {
    ...{ seconds: seconds / 1000, ...counts, wrongs, failed },
    recall: recalls.reduce((sum, recall) => sum + recall, 0) / recalls.length,
    answersPerSecond: (1000 * counts.answered) / (plan.clients === undefined ? end - counted : seconds),
    answerTimes: percentiles(answerTimes),
    refusalTimes: percentiles(refusalTimes),
    lateness: percentiles(lateness),
  };
}

function post(url: string, body: string, agent: Agent) {
  type Response = { status: number; text: string; retryAfter: string | undefined };
  return new Promise<Response>((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const sent = request(url, { method: 'POST', agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode!,
          text: Buffer.concat(chunks).toString(),
          retryAfter: response.headers['retry-after'],
        }),
      );
    });
    sent.setTimeout(patience, () => sent.destroy(new Error('no answer')));
    sent.on('error', reject);
    sent.end(body);
  });
}

/**
 * How much an answer has of the nearest images, or what is wrong with it. All must have their right scores, the nearest
 * first. Some near ones may be missing, since an approximate index is searched.
 */
function judge(
  text: string,
  right: readonly Found[],
): { readonly recall: number } | { readonly fault: string } {
  const images = imagesOf(JSON.parse(text));
  if (right.length === 0) return { recall: 1 }; // unknown
  const scores = new Map(right);
  const nearest = new Set(right.slice(0, images.length).map(([key]) => key));
  let before = Infinity;
  let found = 0;
  for (const [place, { id, row, score }] of images.entries()) {
    const key = id ?? row!;
    const truth = scores.get(key);
    if (truth === undefined) return { fault: `place ${place} has an image that is not near` };
    if (Math.abs(truth - score) > tolerance)
      return { fault: `place ${place} has score ${score}, not ${truth}` };
    if (score > before) return { fault: `place ${place} is nearer than the one before it` };
    before = score;
    if (nearest.has(key)) found += 1;
  }
  if (images.length === 0) return { fault: 'there are no images' };
  const recall = found / images.length;
  return recall < leastRecall ? { fault: 'near images are missing' } : { recall };
}

type Images = readonly { readonly id?: string | number; readonly row?: number; readonly score: number }[];

/** The results of an answer, of clip-retrieval's protocol, too. */
function imagesOf(
  answer:
    | { readonly images: Images }
    | readonly { readonly id: string | number; readonly similarity: number }[],
): Images {
  return 'images' in answer ? answer.images : answer.map(({ id, similarity: score }) => ({ id, score }));
}

function percentiles(values: readonly number[]): Percentiles {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number) => Number((sorted[Math.ceil(part * sorted.length) - 1] ?? 0).toPrecision(4));
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), greatest: at(1) };
}

if (process.send) {
  process.on('message', async (plan: LoadPlan) => process.send!(await load(plan)));
  process.on('disconnect', () => process.exit());
}
