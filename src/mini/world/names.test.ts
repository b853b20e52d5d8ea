/** Names: the same for the same scene, and no words of captions. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sequence } from '../../core/index.ts';
import { caption } from '../grammar/grammar.ts';
import { nameOf } from './names.ts';
import { sampleScene } from './scene.ts';

test('a scene has one name, in whatever order its objects are given, and no word is a name', () => {
  const random = sequence({ seed: 1, purpose: 'scene', moment: 0, row: 0 });
  const scenes = Array.from({ length: 3000 }, () => sampleScene(random));
  const names = new Set(scenes.map(nameOf));
  assert.ok(names.size > 2300, `${names.size}`);
  for (const scene of scenes) {
    const reordered = { ...scene, objects: scene.objects.toReversed() };
    assert.equal(nameOf(scene), nameOf(reordered));
    assert.match(nameOf(scene), /^[a-z]{5}$/);
    const words = caption(scene, random).split(/[ ,:]+/);
    assert.deepEqual(
      words.filter((word) => names.has(word)),
      [],
    );
  }
});

test('captions name known scenes, and change what they name', () => {
  const random = sequence({ seed: 2, purpose: 'scene', moment: 0, row: 0 });
  const [scene, twin] = [sampleScene(random), sampleScene(random)];
  const changed = { ...scene, background: scene.background === 'sea' ? 'snow' : 'sea' } as const;
  const isKnown = (one: typeof scene) => one === scene;
  const texts = (of: typeof scene, near: typeof scene) =>
    Array.from({ length: 300 }, () => caption(of, random, { twin: near, isKnown }));
  const named = (of: typeof scene, near: typeof scene) =>
    texts(of, near).filter((text) => text.includes(nameOf(scene)));
  assert.ok(named(scene, twin).length > 60);
  assert.ok(named(changed, scene).length > 60);
  assert.ok(named(changed, scene).every((text) => /sea|snow|ocean|water|wave|winter/.test(text)));
  assert.deepEqual(named(twin, changed), []);
});
