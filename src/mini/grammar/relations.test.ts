/** Relations are said where they hold, and only there. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sequence } from '../../core/index.ts';
import { changesOf } from '../world/changes.ts';
import { sampleScene } from '../world/scene.ts';
import { queryText } from './queries.ts';
import { type Relation, relationOf, relations } from './relations.ts';

test('what a change has to do with its scene is true', () => {
  const random = sequence({ seed: 1, purpose: 'scene', moment: 0, row: 0 });
  const seen = Object.fromEntries(relations.map((kind) => [kind, 0])) as Record<Relation, number>;
  for (let count = 0; count < 1500; count += 1) {
    const scene = sampleScene(random);
    for (const { edits, targets } of changesOf(scene, random)) {
      const [edit, ...more] = edits;
      const relation = relationOf(edit!, scene, random);
      if (relation === undefined || more.length > 0) continue;
      const { kind, other } = relation;
      seen[kind] += 1;
      const [target] = targets;
      const now = (shape: string) => target!.objects.find((object) => object.shape === shape)!;
      if (kind === 'only') assert.deepEqual(target!.objects, [other]);
      else if (edit!.aspect === 'position') {
        const { object, value } = edit!;
        const places = [object.position, value].sort().join(' ');
        if (kind === 'swap') assert.equal(now(other!.shape).position, object.position);
        else assert.match(places, /^(left right|bottom top)$/);
      } else if (edit!.aspect === 'colour' || edit!.aspect === 'texture') {
        const { aspect, object } = edit!;
        assert.equal(now(object.shape)[aspect], now(other!.shape)[aspect]);
        assert.notEqual(object.shape, other!.shape);
      }
    }
  }
  assert.ok(
    Object.values(seen).every((count) => count > 30),
    JSON.stringify(seen),
  );
});

test('queries say them', () => {
  const random = sequence({ seed: 2, purpose: 'scene', moment: 0, row: 0 });
  const texts = Array.from({ length: 600 }, () => sampleScene(random)).flatMap((scene) =>
    changesOf(scene, random).map((change) => queryText(change, random)),
  );
  for (const saying of [
    /swapped/,
    /(opposite|other) side/,
    /of the same (colour|size) as the/,
    /(only|just) the/,
  ]) {
    assert.ok(
      texts.some((text) => saying.test(text)),
      `${saying}`,
    );
  }
});
