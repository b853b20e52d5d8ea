/** Cleaned captions, case by case. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cleanCaption, detached } from './cleaning.ts';

test('names, case, dollars and surrounding space', () => {
  assert.equal(cleanCaption('  <PERSON> and <PERSON> on Stage\u00a0\n'), 'person and person on stage');
  assert.equal(cleanCaption('US$ 5 for [$]'), 'us 5 for []');
  assert.equal(cleanCaption('two  spaces\tand a tab'), 'two  spaces\tand a tab');
  assert.equal(cleanCaption('<person> ÉCLAIR ΟΔΟΣ'), '<person> éclair οδος');
  for (const nothing of ['', ' \n', '$', ' $$ ']) assert.equal(cleanCaption(nothing), '');
});

test('a detached text is the same text', () => {
  for (const text of ['', 'a dog', '猫 👩‍👩‍👧', '\ud800 and \udc00']) assert.equal(detached(text), text);
});
