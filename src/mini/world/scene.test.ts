/** Scenes: what is drawn, how they are named, and which are kept from training. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sequence } from '../../core/index.ts';
import { isHeldOut, isPossible, type Scene, sampleScene, sceneKey } from './scene.ts';

const draws = (seed: number) => sequence({ seed, purpose: 'scene', moment: 0, row: 0 });

test('drawn scenes are possible, as various as promised, and the same for the same seed', () => {
  const scenes = Array.from(
    { length: 2000 },
    (
      (random) => () =>
        sampleScene(random)
    )(draws(1)),
  );
  const again = Array.from(
    { length: 2000 },
    (
      (random) => () =>
        sampleScene(random)
    )(draws(1)),
  );
  assert.deepEqual(scenes, again);
  assert.ok(scenes.every(isPossible));
  const objects = scenes.flatMap((scene) => scene.objects);
  const count = (values: readonly unknown[]) => new Set(values).size;
  assert.equal(count(scenes.map(({ background }) => background)), 8);
  assert.equal(count(objects.map(({ shape, colour }) => `${shape} ${colour}`)), 64);
  assert.equal(count(objects.map(({ texture, size, number }) => `${texture} ${size} ${number}`)), 24);
  assert.equal(count(objects.map(({ position }) => position)), 5);
  assert.deepEqual([...new Set(scenes.map((scene) => scene.objects.length))].sort(), [1, 2, 3]);
});

test('a scene has one key, whatever the order of its objects', () => {
  const random = draws(2);
  for (let count = 0; count < 200; count += 1) {
    const scene = sampleScene(random);
    assert.equal(sceneKey({ ...scene, objects: scene.objects.toReversed() }), sceneKey(scene));
  }
});

test('things of one shape, in one place or out of line are no scene', () => {
  const star = {
    shape: 'star',
    colour: 'red',
    texture: 'plain',
    size: 'small',
    position: 'left',
    number: 1,
  } as const;
  const beside = (other: Partial<Scene['objects'][number]>): Scene => ({
    background: 'sky',
    objects: [star, { ...star, shape: 'moon', position: 'right', ...other }],
  });
  assert.ok(isPossible(beside({})));
  assert.ok(!isPossible(beside({ shape: 'star' })));
  assert.ok(!isPossible(beside({ position: 'left' })));
  assert.ok(!isPossible(beside({ position: 'top' })));
  assert.ok(!isPossible({ background: 'sky', objects: [] }));
});

test('about a tenth of all scenes is held out, always the same', () => {
  const random = draws(3);
  const scenes = Array.from({ length: 20_000 }, () => sampleScene(random));
  const share = scenes.filter(isHeldOut).length / scenes.length;
  assert.ok(share > 0.09 && share < 0.11, `${share}`);
  assert.ok(scenes.every((scene) => isHeldOut(scene) === isHeldOut(structuredClone(scene))));
});
