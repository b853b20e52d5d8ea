/** A query in the page's address, and back: ids, handles of uploads and words only, so that an address can be shared. */

import { isId } from '../../src/core/ids.ts';
import { emptyQuery, type Query, type Reference, referenceKey } from './query.ts';

const numbers = { min: 'minScore', weight: 'weight', withoutweight: 'withoutWeight' } as const;
const texts = { q: 'text', without: 'without', where: 'filter', method: 'method', index: 'index' } as const;
const lists = { image: 'images', more: 'more', less: 'less' } as const;

/** The part of the address from `?`; empty for an empty query. */
export function toAddress(query: Query): string {
  const parameters = new URLSearchParams();
  for (const [name, list] of Object.entries(lists))
    for (const image of query[list]) parameters.append(name, referenceKey(image));
  for (const [name, key] of Object.entries(texts)) if (query[key]) parameters.set(name, query[key]);
  for (const [name, key] of Object.entries(numbers))
    if (query[key] !== undefined) parameters.set(name, `${query[key]}`);
  if (query.unique) parameters.set('unique', '1');
  const search = parameters.toString();
  return search === '' ? '' : `?${search}`;
}

/** What an address asks for. It may come from anywhere: what is not understood counts as absent. */
export function fromAddress(search: string): Query {
  const parameters = new URLSearchParams(search);
  const query: Record<string, unknown> = { ...emptyQuery };
  for (const [name, list] of Object.entries(lists))
    query[list] = parameters.getAll(name).flatMap(toReference).slice(0, 16);
  for (const [name, key] of Object.entries(texts)) {
    const value = parameters.get(name);
    if (value) query[key] = value;
  }
  for (const [name, key] of Object.entries(numbers)) {
    const value = parameters.get(name);
    if (value !== null && value.trim() !== '' && Number.isFinite(Number(value))) query[key] = Number(value);
  }
  query.unique = parameters.get('unique') === '1';
  return query as unknown as Query;
}

function toReference(text: string): Reference[] {
  if (isId(text)) return [{ id: text }];
  const [, upload] = /^upload:([\w-]{16,64})$/.exec(text) ?? [];
  return upload === undefined ? [] : [{ upload }];
}
