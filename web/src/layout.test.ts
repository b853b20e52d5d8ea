/** Rows of pictures: full, in proportion, and the same however many more there are. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { justify, neighbour, rowOf } from './layout.ts';

const proportions = Array.from({ length: 400 }, (_, at) => [1.5, 0.66, 1, 1.78, 9, 0.1][at % 6]!);
const place = { width: 1000, height: 200, gap: 10 };
const rows = justify(proportions, place);

test('every picture has its place, in order', () => {
  assert.deepEqual(
    rows.flatMap(({ cells }) => cells.map(({ at }) => at)),
    proportions.map((_, at) => at),
  );
});

test('rows fill the width and are about as tall as wanted', () => {
  for (const { cells, height } of rows.slice(0, -1)) {
    const { left, width } = cells.at(-1)!;
    assert.ok(Math.abs(left + width - 1000) < 1 && height > 100 && height <= 200, `${height}`);
  }
});

test('a picture keeps its proportions, within bounds', () => {
  const { cells, height } = rows[0]!;
  assert.ok(Math.abs(cells[0]!.width / height - 1.5) < 0.02);
  for (const row of rows)
    for (const { width } of row.cells) assert.ok(width / row.height > 0.49 && width / row.height < 2.65);
});

test('more pictures change the last row at most', () => {
  const fewer = justify(proportions.slice(0, 123), place);
  assert.deepEqual(rows.slice(0, fewer.length - 1), fewer.slice(0, -1));
});

test('few pictures are not blown up, and one that is too wide is made to fit', () => {
  assert.equal(justify([1], place)[0]!.height, 200);
  const [panorama] = justify([5], { width: 300, height: 200, gap: 6 });
  assert.ok(panorama!.cells[0]!.width <= 300);
  assert.deepEqual(justify([], place), []);
});

test('arrows lead to neighbours, and nowhere at the ends', () => {
  const row = rows[3]!;
  const at = row.cells[1]!.at;
  assert.equal(rowOf(rows, at), 3);
  assert.equal(neighbour(rows, at, 'ArrowRight'), at + 1);
  assert.equal(neighbour(rows, 0, 'ArrowLeft'), undefined);
  assert.equal(neighbour(rows, proportions.length - 1, 'ArrowRight'), undefined);
  assert.equal(neighbour(rows, 0, 'ArrowUp'), undefined);
  const below = neighbour(rows, at, 'ArrowDown')!;
  assert.equal(rowOf(rows, below), 4);
  assert.equal(neighbour(rows, proportions.length - 1, 'ArrowDown'), undefined);
});
