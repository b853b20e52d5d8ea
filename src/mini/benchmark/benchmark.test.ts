/** The miniature benchmark at a small size: what is promised of its gallery, its queries and their answers. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changeKinds, editsBetween, neighboursOf } from '../world/changes.ts';
import { isHeldOut, sceneKey } from '../world/scene.ts';
import { buildBenchmark } from './benchmark.ts';

const sizes = { gallery: 500, queries: 60 };
const benchmark = buildBenchmark(3, sizes);
const { gallery, queries } = benchmark;
const pictures = new Map(gallery.map((picture) => [picture.id, picture]));
const keyOf = (id: number) => sceneKey(pictures.get(id)!.scene);

test('the same seed makes the same benchmark, another seed another one', () => {
  assert.deepEqual(buildBenchmark(3, sizes), benchmark);
  assert.notDeepEqual(buildBenchmark(4, sizes), benchmark);
});

test('the gallery is as large as asked, of held-out scenes, with no image twice', () => {
  assert.equal(gallery.length, sizes.gallery);
  assert.equal(pictures.size, sizes.gallery);
  assert.ok(gallery.every(({ scene }) => isHeldOut(scene)));
  assert.equal(
    new Set(gallery.map(({ scene, variant }) => `${sceneKey(scene)} ${variant}`)).size,
    sizes.gallery,
  );
});

test('every kind of change is asked as often', () => {
  assert.equal(queries.length, sizes.queries);
  for (const kind of changeKinds)
    assert.equal(queries.filter((query) => query.kind === kind).length, 6, kind);
});

test('answers are all there, and not the reference', () => {
  for (const { reference, target, targets } of queries) {
    assert.equal(targets[0], target);
    assert.equal(new Set(targets).size, targets.length);
    assert.ok(!targets.includes(reference));
    const right = new Set(targets.map(keyOf));
    for (const { id, scene } of gallery) {
      if (right.has(sceneKey(scene))) assert.ok(targets.includes(id), 'other images of the same scene');
    }
  }
  assert.ok(queries.some(({ targets }) => targets.length > 1));
});

test('answers are the only ones: of one edit, scenes that differ from the reference in just that', () => {
  for (const { kind, reference, targets } of queries) {
    if (['add', 'remove', 'two'].includes(kind)) continue;
    for (const id of targets) {
      const edits = editsBetween(pictures.get(reference)!.scene, pictures.get(id)!.scene);
      assert.deepEqual(
        edits?.map(({ aspect }) => aspect),
        [kind],
      );
    }
    assert.equal(new Set(targets.map(keyOf)).size, 1);
  }
});

test('a subset has the reference, one right answer and four that nearly answer', () => {
  for (const { reference, target, targets, subset } of queries) {
    assert.equal(new Set(subset).size, 6);
    assert.ok(subset.includes(reference));
    assert.deepEqual(
      subset.filter((id) => targets.includes(id)),
      [target],
    );
    const near = new Set(neighboursOf(pictures.get(target)!.scene).map(sceneKey));
    assert.ok(
      subset.some((id) => id !== reference && near.has(keyOf(id))),
      'a hard negative',
    );
  }
});

test('a gallery that cannot hold the queries is refused', () => {
  assert.throws(
    () => buildBenchmark(3, { gallery: 50, queries: 60 }),
    /expected a gallery of at least \d+ images/,
  );
});
