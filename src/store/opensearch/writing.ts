/** Writes documents in bulk. What a cluster has no room for now is sent again; what it refuses is named. */

import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import type { Cluster } from './cluster.ts';
import { failureFrom, refusalOf } from './errors.ts';

/** A change of one document. Done twice, it is as if it was done once. */
export interface Change {
  /** `update` and `delete` leave out what is not there; `upsert` makes it. */
  readonly action: 'index' | 'upsert' | 'update' | 'delete';
  /** The alias to write by: where there is none, the cluster must not make an index. */
  readonly index: string;
  readonly id: string;
  readonly document?: object;
  /** The image, for messages. */
  readonly name: string;
}

const mostChanges = 1000;
const mostCharacters = 8_000_000;
const longestPause = 5_000;

const item = z.object({ status: z.number(), error: z.unknown().optional() });
const answer = z.object({ items: z.array(z.record(z.string(), item)) });
const missing = z.object({ type: z.literal('document_missing_exception') });

/**
 * @param before comes before every attempt, and throws if this process may not write any more
 * @throws LincirError naming the first image that is refused, when the others of its thousand are written
 */
export async function write(
  cluster: Cluster,
  changes: readonly Change[],
  before: () => Promise<void>,
): Promise<void> {
  for (const batch of batches(changes)) {
    const end = performance.now() + cluster.patience.all;
    let left = batch;
    for (let wait = 100; left.length > 0; wait = Math.min(2 * wait, longestPause)) {
      const body = left.map(({ lines }) => lines).join('');
      const query = { require_alias: true, timeout: `${cluster.patience.attempt / 2}ms` };
      const request = { method: 'POST', path: '/_bulk', body, query, before } as const;
      const { items } = answer.parse(await cluster.request(request));
      const failed = left.flatMap((sent, at) => {
        const { status, error } = Object.values(items[at] ?? {})[0] ?? { status: 503, error: 'no answer' };
        const isDone =
          error === undefined || (sent.change.action !== 'index' && missing.safeParse(error).success);
        return isDone ? [] : [{ sent, failure: failureFrom(status, error) }];
      });
      const isLate = performance.now() + wait >= end;
      left = failed.flatMap(({ sent, failure }) => (failure.isPassing && !isLate ? [sent] : []));
      const refused = failed.find(({ failure }) => !failure.isPassing || isLate);
      if (refused) throw refusalOf(refused.failure, cluster.uri, refused.sent.change.name);
      if (left.length > 0) await pause(wait);
    }
  }
}

interface Line {
  readonly change: Change;
  readonly lines: string;
}

function* batches(changes: readonly Change[]): Generator<Line[], void, void> {
  let batch: Line[] = [];
  let characters = 0;
  for (const change of changes) {
    const { action, index, id, document } = change;
    const isUpdate = action === 'update' || action === 'upsert';
    const place = { _index: index, _id: id, ...(isUpdate && { retry_on_conflict: 3 }) };
    const head = JSON.stringify({ [isUpdate ? 'update' : action]: place });
    const content = isUpdate ? { doc: document, doc_as_upsert: action === 'upsert' } : document;
    const lines = `${head}\n${action === 'delete' ? '' : `${JSON.stringify(content)}\n`}`;
    if (batch.length === mostChanges || (batch.length > 0 && characters + lines.length > mostCharacters)) {
      yield batch;
      [batch, characters] = [[], 0];
    }
    batch.push({ change, lines });
    characters += lines.length;
  }
  if (batch.length > 0) yield batch;
}
