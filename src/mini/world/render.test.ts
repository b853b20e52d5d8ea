/** Images of scenes: their size, their colours, and that equal scenes look equal. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sequence } from '../../core/index.ts';
import { sceneSvg } from './render.ts';
import { renderScene } from './render-pixels.ts';
import { attributes, backgrounds, type Scene, type SceneObject, sampleScene } from './scene.ts';

const star: SceneObject = {
  shape: 'star',
  colour: 'red',
  texture: 'plain',
  size: 'large',
  position: 'left',
  number: 1,
};

test('an image has the side that is asked for, and is the same at each call', async () => {
  const random = sequence({ seed: 1, purpose: 'scene', moment: 0, row: 0 });
  for (const side of [32, 64, 160]) {
    const scene = sampleScene(random);
    const [one, other] = await Promise.all([renderScene(scene, side), renderScene(scene, side)]);
    assert.deepEqual([one.width, one.height, one.data.length], [side, side, side * side * 3]);
    assert.deepEqual(one.data, other.data);
    assert.notDeepEqual((await renderScene(scene, side, 1)).data, one.data, 'another variant');
  }
});

test('the order in which objects are given does not show', () => {
  const scene: Scene = { background: 'snow', objects: [star, { ...star, shape: 'moon', position: 'right' }] };
  assert.equal(sceneSvg({ ...scene, objects: scene.objects.toReversed() }), sceneSvg(scene));
});

test('things stand where the scene has them, in their colour', async () => {
  const sides = { left: [0, 0.5], right: [0.5, 1], top: [0, 0.5], bottom: [0.5, 1], centre: [0.25, 0.75] };
  for (const position of attributes.position) {
    const { data } = await renderScene({ background: 'snow', objects: [{ ...star, position }] }, 64);
    const red = Array.from({ length: 64 * 64 }, (_, at) => at).filter(
      (at) => data[3 * at]! > 200 && data[3 * at + 1]! < 80 && data[3 * at + 2]! < 90,
    );
    const along = red.map((at) =>
      position === 'top' || position === 'bottom' ? Math.floor(at / 64) : at % 64,
    );
    const mean = along.reduce((sum, value) => sum + value, 0) / red.length / 64;
    const [from, to] = sides[position];
    assert.ok(red.length > 80, `${position}: ${red.length} red pixels`);
    assert.ok(mean > from! && mean < to!, `${position}: ${mean}`);
  }
});

test('every value of every attribute, and every place, changes many pixels of 64 by 64', async () => {
  const pixels = async (scene: Scene) => (await renderScene(scene, 64)).data;
  const base: Scene = { background: 'wood', objects: [{ ...star, size: 'small' }] };
  const before = await pixels(base);
  const differing = (after: ArrayLike<number>) =>
    Array.from(after).filter((value, at) => Math.abs(value - before[at]!) > 24).length;
  for (const [attribute, values] of Object.entries(attributes)) {
    for (const value of values) {
      if (base.objects[0]![attribute as keyof SceneObject] === value) continue;
      const changed = { ...base, objects: [{ ...base.objects[0]!, [attribute]: value }] };
      assert.ok(differing(await pixels(changed)) > 40, `${attribute} ${value}`);
    }
  }
  for (const background of backgrounds.filter((other) => other !== 'wood')) {
    assert.ok(differing(await pixels({ ...base, background })) > 2000, background);
  }
});
