/** That OpenSearch and the predicate pass the same images. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filterColumns, filteredRows, randomFilters } from '../../../test/filters.ts';
import { info, newClusterIndex, skipsCluster } from '../../../test/stores.ts';
import { chunks, nameKey } from '../../core/index.ts';
import { parseFilter, withComparedNames } from '../filter/filter.ts';
import { type FilteredRow, filterPredicate } from '../filter/predicate.ts';
import { parseAddress } from './address.ts';
import { Cluster } from './cluster.ts';
import { columnMapping, documentOf, imageMapping } from './fields.ts';
import { filterQuery } from './query.ts';
import { search } from './reading.ts';
import { write } from './writing.ts';

const added = new Map(
  [...filterColumns]
    .filter(([name]) => name !== 'folder')
    .map(([name, type]) => [name, type === 'time' ? 'number' : type] as const),
);
const rows: readonly FilteredRow[] = filteredRows.map((row) => {
  const compared = (value: FilteredRow[string]) =>
    typeof value === 'string' ? nameKey(value) : (value ?? null);
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, compared(value)]));
});

test('OpenSearch passes the rows that the predicate passes', { skip: skipsCluster }, async () => {
  const uri = newClusterIndex();
  const { name } = parseAddress(uri);
  const cluster = await Cluster.connect(uri);
  await cluster.makeIndex(`${name}.filters`, {
    settings: { index: { knn: true, number_of_shards: 2 } },
    mappings: imageMapping(info, false),
    aliases: { [`${name}.filters.write`]: {} },
  });
  await cluster.request({ method: 'PUT', path: `/${name}.filters/_mapping`, body: columnMapping(added) });
  const documents = rows.map((row, at) => {
    const { folder, ...metadata } = row;
    const image = { id: `${at}`, metadata, ...(folder != null && { folder: String(folder) }) };
    return documentOf(image, added, info);
  });
  const changes = documents.map((document, at) => {
    return { action: 'index', index: `${name}.filters.write`, id: `${at}`, document, name: `${at}` } as const;
  });
  await write(cluster, changes, async () => {});
  await cluster.request({ method: 'POST', path: `/${name}.filters/_refresh` });
  let telling = 0;
  const texts = randomFilters();
  const compare = async (text: string) => {
    const filter = parseFilter(text, filterColumns);
    const passes = filterPredicate(withComparedNames(filter));
    const wanted = [...rows.keys()].filter((id) => passes(rows[id]!));
    const body = { size: rows.length, query: filterQuery(filter), _source: false };
    const found = search(cluster, `${name}.filters`, body);
    // docs/cluster.md names this difference.
    if (/(?:%.){1000}/.test(text))
      return await assert.rejects(found, /with too many % and _; write a shorter/);
    const ids = (await found).hits.hits.map(({ _id }) => Number(_id)).sort((a, b) => a - b);
    assert.deepEqual(ids, wanted, text.slice(0, 1000));
    if (wanted.length > 0 && wanted.length < rows.length) telling += 1;
  };
  for await (const some of chunks(texts, 16)) await Promise.all(some.map(compare));
  assert.ok(telling > texts.length * 0.7, `only ${telling} filters tell rows apart`);
  await cluster.close();
});
