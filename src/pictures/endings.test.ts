/** The table of endings: no ending is both taken and left out, and names give theirs. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endingOf, leftOutEndings, takenEndings } from './endings.ts';

test('no ending is both taken and left out, and all are in small letters', () => {
  assert.deepEqual(
    [...takenEndings].filter((ending) => leftOutEndings.has(ending)),
    [],
  );
  for (const ending of [...takenEndings, ...leftOutEndings]) assert.match(ending, /^[a-z0-9]+$/);
});

test('a name has the ending after its last point', () => {
  const endings = {
    'a.JPG': 'jpg',
    'a/b.tar.Heic': 'heic',
    '.jpg': '',
    'a.b/c': '',
    a: '',
    'a.': '',
    'x/.png': '',
  };
  for (const [name, ending] of Object.entries(endings)) assert.equal(endingOf(name), ending, name);
});
