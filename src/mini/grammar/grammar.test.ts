/** Captions: how many wordings there are, that complete ones leave nothing out, and that queries are worded anew. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sequence } from '../../core/index.ts';
import { changesOf } from '../world/changes.ts';
import { type Position, type Scene, sampleScene, sceneKey } from '../world/scene.ts';
import { changedCaption } from './changed.ts';
import { caption, captionSkeletons, changeWordings, templateCount } from './grammar.ts';
import { queryText, queryWordings } from './queries.ts';
import {
  colourWords,
  patternWords,
  placeWords,
  positionWords,
  shapeWords,
  sizeWords,
  textureWords,
} from './words.ts';

const draws = (seed: number) => sequence({ seed, purpose: 'scene', moment: 0, row: 0 });

test('captions have many templates, and use many of them', () => {
  assert.ok(templateCount >= 200, `${templateCount}`);
  for (const skeleton of captionSkeletons()) {
    assert.doesNotMatch(
      skeleton,
      /\b(red|blue|striped|beach|circle|small|left|two)\b/,
      'no words of attributes',
    );
  }
  const random = draws(1);
  const one: Scene = {
    background: 'beach',
    objects: [{ shape: 'star', colour: 'red', texture: 'plain', size: 'large', position: 'left', number: 1 }],
  };
  const captions = new Set(Array.from({ length: 1000 }, () => caption(one, random)));
  assert.ok(captions.size > 900, `${captions.size} different of 1000`);
});

test('captions are the same for the same draws, in lower case, with no slot left and no double space', () => {
  const [random, again, scenes] = [draws(2), draws(2), draws(3)];
  for (let count = 0; count < 3000; count += 1) {
    const scene = sampleScene(scenes);
    const text = caption(scene, random, { complete: count % 2 === 0 });
    assert.equal(text, caption(scene, again, { complete: count % 2 === 0 }));
    assert.equal(text, text.toLowerCase());
    assert.doesNotMatch(text, /[{}$]| {2}|undefined| ,|,,|\ba [aeiou](?!ne)|\b(\w+) \1\b/, text);
    assert.ok(text.split(' ').length <= 64, text);
  }
});

test('complete captions mention everything', () => {
  const random = draws(4);
  const sizeNames = { small: /smaller|shrunk/, large: /larger|bigger|grown/ };
  const places: Readonly<Record<Position, RegExp>> = {
    left: /left/,
    right: /right/,
    top: /top|upper/,
    bottom: /bottom|lower/,
    centre: /middle|centre|central/,
  };
  for (let count = 0; count < 2000; count += 1) {
    const scene = sampleScene(random);
    const text = caption(scene, random, { complete: true });
    const says = (words: readonly string[], what: string) =>
      assert.ok(
        words.some((word) => text.includes(word)),
        `${what} in ${text} (${sceneKey(scene)})`,
      );
    says(Object.values(placeWords[scene.background]).flat(), scene.background);
    for (const { shape, colour, texture, size, position, number } of scene.objects) {
      says(shapeWords[shape], shape);
      says(colourWords[colour], colour);
      says([...textureWords[texture], ...patternWords[texture]], texture);
      if (!sizeNames[size].test(text)) says(sizeWords[size], size);
      if (!places[position].test(text) && !/opposite|other side|across/.test(text))
        says(positionWords[position], position);
      if (/\b(one|two) (more|fewer)/.test(text)) continue;
      if (number === 2) says(['two', 'twin', 'pair', 'couple'], 'two');
      if (number === 3) says(['three', 'triple', 'trio'], 'three');
    }
  }
});

test('most scenes can be named by way of another one', () => {
  const random = draws(5);
  let changed = 0;
  for (let count = 0; count < 2000; count += 1) {
    if (changedCaption(sampleScene(random), false, random) !== undefined) changed += 1;
  }
  assert.ok(changed / 2000 > 0.65 && changed / 2000 < 0.95, `${changed}`);
});

test('a caption that changes a lone object ends with what is meant', () => {
  const random = draws(6);
  const scene: Scene = {
    background: 'night',
    objects: [
      { shape: 'heart', colour: 'pink', texture: 'plain', size: 'small', position: 'top', number: 1 },
    ],
  };
  const captions = Array.from({ length: 3000 }, () => changedCaption(scene, true, random) ?? '');
  const recoloured = captions.filter((text) => /recoloured|in (pink|magenta) instead$/.test(text));
  assert.ok(recoloured.length > 10);
  assert.ok(recoloured.every((text) => /(pink|magenta)( instead)?$/.test(text)));
  const without = captions.filter((text) => /minus the|without the/.test(text));
  assert.ok(without.length > 10);
  assert.ok(without.every((text) => !/(minus|without) the heart/.test(text)));
});

test('queries are worded as no training caption is, in words that captions use', () => {
  const endings = [...changeWordings(), ...captionSkeletons()].map((text) => text.replaceAll(/[{}]/g, ''));
  for (const wording of queryWordings()) {
    const clause = `that ${wording.replaceAll(/[{}]/g, '')}`;
    assert.deepEqual(
      endings.filter((ending) => ending.endsWith(clause)),
      [],
    );
  }
  const random = draws(7);
  const words = new Set<string>();
  for (let count = 0; count < 12_000; count += 1) {
    for (const word of wordsOf(caption(sampleScene(random), random))) words.add(word);
  }
  for (let count = 0; count < 100; count += 1) {
    for (const change of changesOf(sampleScene(random), random)) {
      const text = queryText(change, random);
      assert.deepEqual(
        wordsOf(text).filter((word) => !words.has(word)),
        [],
        text,
      );
      assert.doesNotMatch(text, /[{}$]| {2}|undefined/);
    }
  }
});

function wordsOf(text: string): string[] {
  return text.split(/[\s,:]+/);
}
