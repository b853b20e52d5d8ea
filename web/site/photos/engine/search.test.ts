/** Filters of own photos: what cameras write, as in `lincir index`. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PictureEntry } from '../index/row-log.ts';
import { Rows } from '../index/rows.ts';
import { factsOf, search } from './search.ts';

const unknown = { taken: null, camera: null, lens: null, latitude: null, longitude: null };

function rowsOf(photos: Readonly<Record<string, PictureEntry['photo']>>): Rows {
  const rows = new Rows(2);
  for (const [name, photo] of Object.entries(photos))
    rows.take({
      ...{ kind: 'picture', id: name, path: `Photos/${name}`, size: 1, modified: 0, width: 3, height: 2 },
      ...{ hash: name, thumbnail: [0, 0], photo, embedding: Float32Array.of(1, 0) },
    });
  return rows;
}

const rows = rowsOf({
  may: { ...unknown, taken: '2024-05-01T23:59:59', camera: 'Canon EOS R5' },
  june: { ...unknown, taken: '2024-06-01T00:00:00', latitude: 48.1 },
  scan: unknown,
  old: undefined, // of an index that was made before there were such facts
});

async function found(filter: string): Promise<string[]> {
  const none = async (): Promise<never> => assert.fail('a ready vector needs no model');
  const { images } = await search({ vector: [1, 0], filter }, { rows, model: none, upload: none as never });
  return images.map(({ id }) => id);
}

test('by the day on which they were taken, where you are', async () => {
  assert.deepEqual(await found("taken < '2024-06-01'"), ['may']);
  assert.deepEqual(await found("taken >= '2024-06-01'"), ['june']);
  assert.deepEqual(await found('taken is null'), ['scan', 'old']);
});

test('by camera, place and size', async () => {
  assert.deepEqual(await found("camera like '%R5%'"), ['may']);
  assert.deepEqual(await found('latitude > 40 and width = 3'), ['june']);
});

test('a picture’s facts are those that are known', () => {
  assert.deepEqual(factsOf(rows, 'may').metadata, {
    ...{ taken: '2024-05-01T23:59:59', camera: 'Canon EOS R5', width: 3, height: 2 },
  });
});
