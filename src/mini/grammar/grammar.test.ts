/** Captions: how many wordings there are, that complete ones leave nothing out, and that queries are worded anew. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sequence } from '../../core/index.ts';
import { changesOf } from '../world/changes.ts';
import { type Position, type Scene, sampleScene, sceneKey } from '../world/scene.ts';
import { changedCaption } from './changed.ts';
import { clausesOfImage, clausesOfNamed, clausesOfOne, leadsOfImage, leadsOfOne } from './clauses.ts';
import {
  emptyFrames,
  fits,
  placedFrames,
  plainFrames,
  titleFrames,
  titleLeads,
  titleTails,
} from './frames.ts';
import { caption } from './grammar.ts';
import { isTitle, objectForms } from './objects.ts';
import { queryText, queryWordings } from './queries.ts';
import { clausesOfRelation, tailsOfRelation } from './relations.ts';
import { changedOpenings, tailsOfNamed, tailsOfOne, tailsOfScene } from './tails.ts';
import {
  colourWords,
  patternWords,
  placeWords,
  positionWords,
  shapeWords,
  sizeWords,
  textureWords,
  tidy,
} from './words.ts';

const draws = (seed: number) => sequence({ seed, purpose: 'scene', moment: 0, row: 0 });

test('captions have many templates, and use many of them', () => {
  const skeletons = captionSkeletons();
  assert.ok(skeletons.size >= 200, `${skeletons.size}`);
  for (const skeleton of skeletons) {
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

/**
 * The distinct skeletons of captions of one object: sentences with slots for the words of attributes. Captions of several
 * objects, whose phrases combine freely, are not counted.
 */
function captionSkeletons(): ReadonlySet<string> {
  const skeletons = new Set<string>(emptyFrames);
  for (const frame of [...placedFrames, ...plainFrames]) {
    for (const form of objectForms) {
      if (fits(frame, form)) skeletons.add(put(frame, { objects: form }));
    }
  }
  for (const frame of titleFrames) {
    for (const form of objectForms.filter(isTitle)) {
      const title = put(frame, { objects: form });
      skeletons.add(title);
      for (const lead of titleLeads) skeletons.add(`${lead} ${title}`);
      for (const tail of titleTails) skeletons.add(`${title} ${tail}`);
    }
  }
  for (const opening of changedOpenings) {
    for (const change of changeWordings()) skeletons.add(put(opening, { scene: '{object}', change }));
  }
  return skeletons;
}

/** Every ending with which training captions change something, with its slots. */
function changeWordings(): ReadonlySet<string> {
  const all = (each: Readonly<Record<string, readonly string[]>>) => Object.values(each).flat();
  const after = (leads: readonly string[], clauses: readonly string[]) =>
    leads.flatMap((lead) => clauses.map((clause) => `${lead} ${clause}`));
  return new Set([
    ...[tailsOfOne, tailsOfNamed, tailsOfScene, tailsOfRelation].flatMap(all),
    ...after(leadsOfOne, all(clausesOfOne)),
    ...after(leadsOfImage, [clausesOfNamed, clausesOfImage, clausesOfRelation].flatMap(all)),
  ]);
}

function put(template: string, parts: Readonly<Record<string, string>>): string {
  return tidy(template.replaceAll(/\{(\w+)\}/g, (slot, name: string) => parts[name] ?? slot));
}
