/** Changes of scenes: which scenes answer them, on cases made by hand. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sequence } from '../../core/index.ts';
import {
  applyEdit,
  changeKinds,
  changeOf,
  changesOf,
  editInto,
  editsBetween,
  neighboursOf,
} from './changes.ts';
import { isHeldOut, isPossible, type Scene, type SceneObject, sampleScene, sceneKey } from './scene.ts';

const draws = (seed: number) => sequence({ seed, purpose: 'scene', moment: 0, row: 0 });
const star: SceneObject = {
  shape: 'star',
  colour: 'red',
  texture: 'plain',
  size: 'small',
  position: 'left',
  number: 1,
};
const moon: SceneObject = { ...star, shape: 'moon', colour: 'blue', position: 'right' };
const both: Scene = { background: 'sky', objects: [star, moon] };
const keys = (scenes: readonly Scene[]) => scenes.map(sceneKey);

test('an edit changes what it names, and nothing else', () => {
  const red = applyEdit(both, { aspect: 'colour', object: moon, value: 'red' });
  assert.deepEqual(keys(red), keys([{ background: 'sky', objects: [star, { ...moon, colour: 'red' }] }]));
  const atNight = applyEdit(both, { aspect: 'background', before: 'sky', value: 'night' });
  assert.deepEqual(keys(atNight), keys([{ ...both, background: 'night' }]));
  const gone = applyEdit(both, { aspect: 'remove', object: star });
  assert.deepEqual(keys(gone), keys([{ background: 'sky', objects: [moon] }]));
});

test('an edit that leads to no scene leads nowhere', () => {
  assert.deepEqual(applyEdit(both, { aspect: 'position', object: star, value: 'top' }), []);
  assert.deepEqual(applyEdit(both, { aspect: 'shape', object: star, value: 'moon' }), []);
});

test('a move to where another object stands makes both change places', () => {
  const swapped = applyEdit(both, { aspect: 'position', object: star, value: 'right', other: moon });
  const [left, right] = [
    { ...moon, position: 'left' },
    { ...star, position: 'right' },
  ] as const;
  assert.deepEqual(keys(swapped), keys([{ background: 'sky', objects: [left, right] }]));
  const [edit] = editsBetween(both, swapped[0]!)!;
  assert.deepEqual(edit, { aspect: 'position', object: star, value: 'right', other: moon });
});

test('the edits between two scenes are found, whichever they are', () => {
  const random = draws(4);
  for (let count = 0; count < 300; count += 1) {
    const scene = sampleScene(random);
    for (const { kind, edits, targets } of changesOf(scene, random)) {
      const found = editsBetween(scene, targets[0]!);
      assert.equal(found?.length, edits.length, `${kind} of ${sceneKey(scene)}`);
    }
    assert.equal(editsBetween(scene, scene), undefined);
  }
  const none: Scene = { background: 'sea', objects: [{ ...star, shape: 'heart', colour: 'green' }] };
  assert.equal(editsBetween(both, none), undefined);
});

test('what an addition leaves open may be anything', () => {
  const hearts = applyEdit(both, {
    aspect: 'add',
    object: { shape: 'heart', number: 1, colour: 'green', size: 'large' },
  });
  assert.equal(hearts.length, 4); // four textures, and only the centre is free in this line
  assert.ok(
    hearts.every(({ objects }) => objects[1]?.position === 'centre' && objects[1].colour === 'green'),
  );
});

test('a change is answered by its targets alone', () => {
  const random = draws(1);
  for (let count = 0; count < 60; count += 1) {
    const scene = sampleScene(random);
    for (const change of changesOf(scene, random)) {
      assert.ok(change.targets.length > 0);
      assert.ok(change.targets.every((target) => isPossible(target) && change.isTarget(target)));
      assert.ok(!change.isTarget(scene), `${change.kind} of ${sceneKey(scene)}`);
      const [target] = change.targets;
      if (change.targets.length === 1) {
        assert.ok(neighboursOf(target!).every((near) => !change.isTarget(near)));
        const steps = neighboursOf(scene).some((near) => sceneKey(near) === sceneKey(target!));
        const isSwap = 'other' in change.edits[0]!;
        if (!isSwap && !['add', 'remove', 'two'].includes(change.kind)) assert.ok(steps, change.kind);
      }
    }
  }
});

test('what cannot be changed is not', () => {
  const random = draws(2);
  const full: Scene = {
    background: 'sky',
    objects: [star, { ...moon, position: 'centre' }, { ...moon, shape: 'heart' }],
  };
  assert.equal(changeOf('remove', { background: 'sky', objects: [star] }, random), undefined);
  assert.equal(changeOf('add', full, random), undefined);
  const two = changeOf('two', both, random);
  assert.equal(two?.edits.length, 2);
});

test('neighbours differ in one thing', () => {
  const near = neighboursOf({ background: 'sky', objects: [star] });
  // 7 places, 7 shapes, 7 colours, 3 textures, 1 size, 4 positions, 2 numbers
  assert.equal(new Set(keys(near)).size, 31);
  assert.equal(near.length, 31);
});

test('an edit into a scene leads to that scene, from one that training may speak of', () => {
  const random = draws(3);
  for (let count = 0; count < 500; count += 1) {
    const target = sampleScene(random);
    for (const aspect of changeKinds) {
      if (aspect === 'two') continue;
      const found = editInto(aspect, target, random);
      if (found === undefined) continue;
      assert.ok(!isHeldOut(found.source));
      assert.deepEqual(keys(applyEdit(found.source, found.edit)), [sceneKey(target)], aspect);
    }
  }
});
