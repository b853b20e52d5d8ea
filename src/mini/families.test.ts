/** The scenes of training: none held out, all different, and like their families. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { familySize, heldOutScenes, trainingScenes } from './families.ts';
import { isHeldOut, isPossible, type Scene, sceneKey } from './scene.ts';

const kept = heldOutScenes(300, 3);
const seen = trainingScenes(600, 3);

test('scenes are distinct, possible, and held out or not', () => {
  assert.ok(kept.every(isHeldOut));
  assert.ok(!seen.some(isHeldOut));
  assert.ok(seen.every(isPossible));
  assert.equal(new Set([...kept, ...seen].map(sceneKey)).size, 900);
});

test('a seed is a list of scenes, however many are asked for', () => {
  assert.deepEqual(trainingScenes(100, 3), seen.slice(0, 100));
  assert.notDeepEqual(trainingScenes(100, 4), seen.slice(0, 100));
  assert.deepEqual(heldOutScenes(100, 3), kept.slice(0, 100));
});

test('families are alike', () => {
  /** The place, and things without their positions. */
  const parts = ({ background, objects }: Scene) => [
    background,
    ...objects.map((object) => JSON.stringify({ ...object, position: '' })),
  ];
  let moved = 0;
  for (let at = 0; at < seen.length; at += familySize) {
    const [first, ...others] = seen.slice(at, at + familySize).map(parts) as [string[], ...string[][]];
    for (const other of others) {
      const different = other.filter((part) => !first.includes(part)).length;
      assert.ok(different <= 2, `${first} and ${other}`);
      if (different === 0 && other.length === first.length) moved += 1;
    }
  }
  assert.ok(moved > 0.25 * (1 - 1 / familySize) * seen.length, `${moved} with things in other places`);
});
