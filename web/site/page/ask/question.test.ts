/** Words that fit a picture, and what is right for them. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildBenchmark } from '../../../../src/mini/portable.ts';
import { asked, isRight, type Reference, suggestionsFor } from './question.ts';

const { gallery: pictures, queries } = buildBenchmark(0, { gallery: 400, queries: 40 });
const gallery = (id: number): Reference => ({ kind: 'gallery', picture: pictures[id - 1]! });

test('a picture that the benchmark asks about suggests its queries first', () => {
  for (const { reference, text } of queries.filter(({ text }) => text.length < 40)) {
    const suggested = suggestionsFor(gallery(reference), { pictures, queries });
    const own = suggested.findIndex(({ words }) => words === text);
    assert.ok(own >= 0 && own < 3, text);
    assert.ok(suggested.length <= 6);
    assert.equal(new Set(suggested.map(({ words }) => words)).size, suggested.length);
  }
});

test('what is right follows the benchmark, then the change; else nobody knows', () => {
  const query = queries.find(({ text }) => text.length < 40)!;
  const [own, ...others] = suggestionsFor(gallery(query.reference), { pictures, queries });
  const hit = { id: query.target, score: 1 };
  assert.equal(isRight({ ...hit, isRight: true }, own, { pictures }), true);
  assert.equal(isRight({ ...hit, isRight: undefined }, undefined, { pictures }), undefined);
  const made = others.filter((one) => one.isRight);
  assert.ok(made.length > 0);
  for (const suggestion of made) {
    const answer = isRight({ id: query.reference, score: 1, isRight: undefined }, suggestion, { pictures });
    assert.equal(answer, false, 'the picture itself is no answer to a change');
  }
});

test('a drawing by hand gets words that fit any picture', () => {
  const drawn = { kind: 'drawn', address: 'blob:', pixels: undefined as never } as const;
  assert.ok(suggestionsFor(drawn, { pictures, queries }).length > 3);
});

test('people may begin with "but"', () => {
  assert.equal(asked(' But it is at sunset. '), 'is at sunset');
  assert.equal(asked('but at sunset'), 'at sunset');
  assert.equal(asked('has no butter'), 'has no butter');
});
