/** Searches of a cluster whose every part has answered, and listings that another node can go on with. */

import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { LincirError } from '../../core/index.ts';
import { type Cluster, searchAttempt } from './cluster.ts';
import type { Query } from './query.ts';

const hit = z.object({ _id: z.string(), _score: z.number().nullable(), _source: z.unknown().optional() });
const partly = z.object({ _shards: z.object({ failed: z.number() }) });
const answer = partly.extend({
  timed_out: z.boolean(),
  hits: z.object({ total: z.object({ value: z.number() }).optional(), hits: z.array(hit) }),
  aggregations: z.unknown().optional(),
});
export type Answer = z.infer<typeof answer>;

/** @throws LincirError 'network' rather than give a part of the answer */
export async function search(cluster: Cluster, index: string, body: object): Promise<Answer> {
  const path = `/${index}/_search`;
  const query = { allow_partial_search_results: false };
  const { attempt, all } = cluster.patience;
  const request = { method: 'POST', path, body, query } as const;
  const patience = { attempt: Math.min(attempt, searchAttempt), all };
  const found = answer.parse(await cluster.request(request, patience));
  if (found._shards.failed === 0 && !found.timed_out) return found;
  throw incomplete(cluster, found._shards.failed);
}

/** Lets searches find what was written. Throws as `search` does. */
export async function refresh(cluster: Cluster, indexes: readonly string[]): Promise<void> {
  const end = performance.now() + cluster.patience.all;
  const request = { method: 'POST', path: `/${indexes.join()}/_refresh` } as const;
  for (let wait = 100; ; wait *= 2) {
    const { failed } = partly.parse(await cluster.request(request))._shards;
    if (failed === 0) return;
    if (performance.now() + wait >= end) throw incomplete(cluster, failed);
    await pause(wait);
  }
}

function incomplete({ uri }: Cluster, failed: number): LincirError {
  return new LincirError('network', {
    subject: uri,
    expected: 'an answer from every part of the index',
    found: `${failed} without one`,
    todo: 'try again, or look at the health of the cluster',
  });
}

/**
 * The documents that pass, in the order of their ids. A page needs nothing that a node keeps, so nodes may come and go.
 * @param fields the wanted ones
 */
export async function* pages(
  cluster: Cluster,
  index: string,
  query: Query,
  fields: readonly string[],
  size = 2000,
): AsyncGenerator<readonly unknown[], void, void> {
  for (let last: string | undefined; ; ) {
    const after = last !== undefined && { search_after: [last] };
    const body = {
      size,
      query,
      _source: ['id', ...fields],
      sort: [{ id: 'asc' }],
      track_total_hits: false,
      ...after,
    };
    const { hits } = (await search(cluster, index, body)).hits;
    if (hits.length > 0) yield hits.map(({ _source }) => _source);
    if (hits.length < size) return;
    last = z.object({ id: z.string() }).parse(hits.at(-1)!._source).id;
  }
}
