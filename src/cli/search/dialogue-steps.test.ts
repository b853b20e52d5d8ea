/** What lines of the dialogue mean. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SearchRequest, SearchResults } from '../../search/index.ts';
import { commands, help, stepOf } from './dialogue-steps.ts';

const request: SearchRequest = { images: ['a.jpg'], text: 'is red', top: 3, page: 2 };
const hit = (id: string) => ({ id, path: `/p/${id}.jpg`, folder: '/p', hash: id, score: 0.5, metadata: {} });
const last = { request, hits: [hit('d'), hit('e'), hit('f')] } as unknown as SearchResults;
const asked = (line: string, from = request): Partial<SearchRequest> => {
  const step = stepOf(line, from, last);
  assert.ok(typeof step === 'object' && 'request' in step, `${line}: ${JSON.stringify(step)}`);
  return step.request;
};
const printed = (line: string, from = request, results: SearchResults | 'none' = last): string => {
  const step = stepOf(line, from, results === 'none' ? undefined : results);
  assert.ok(typeof step === 'object' && 'print' in step, `${line}: ${JSON.stringify(step)}`);
  return step.print;
};

describe('a line of the dialogue', () => {
  test('is words, a result, or a result with words', () => {
    assert.deepEqual(asked('is blue'), { ...request, text: 'is blue', page: 1 });
    assert.deepEqual(asked('5'), { images: ['e'], text: undefined, top: 3, page: 1 });
    assert.deepEqual(asked('#6 but at night'), { images: ['f'], text: 'but at night', top: 3, page: 1 });
    assert.equal(printed('1'), 'there is no result 1');
    assert.equal(printed('7 dogs'), 'there is no result 7');
    assert.equal(asked('/text 7 dogs').text, '7 dogs');
    assert.equal(printed('4', request, 'none'), 'there is no result 4');
  });

  test('names images, and words for them in one go', () => {
    assert.deepEqual(asked('/image b.jpg "c d.jpg" #4').images, ['b.jpg', 'c d.jpg', 'd']);
    assert.equal(asked('/image b.jpg').text, 'is red');
    const both = asked('/image b.jpg #5 -- the dog of $1 on the beach of $2');
    assert.deepEqual([both.images, both.text], [['b.jpg', 'e'], 'the dog of $1 on the beach of $2']);
    const none = asked('/image -- a dog');
    assert.deepEqual([none.images, none.text], [[], 'a dog']);
    const alone = asked('/image b.jpg --');
    assert.deepEqual([alone.images, alone.text], [['b.jpg'], undefined]);
    assert.deepEqual(asked('/image a--b.jpg').images, ['a--b.jpg']);
    assert.deepEqual(asked('/image').images, []);
    assert.equal(printed('/image #9'), 'there is no result 9');
  });

  test('changes one thing and keeps the others', () => {
    const of = (line: string, key: keyof SearchRequest) => {
      const { [key]: value, ...others } = asked(line) as SearchRequest;
      const { [key]: _, ...before } = request;
      assert.deepEqual(others, { ...before, ...(key !== 'page' && { page: 1 }) }, line);
      return value;
    };
    assert.equal(of('/without dogs', 'without'), 'dogs');
    assert.equal(of('/without', 'without'), undefined);
    assert.equal(of("/where folder like '%x'", 'where'), "folder like '%x'");
    assert.equal(of('/method sum', 'method'), 'sum');
    assert.equal(of('/weight 0.5', 'weight'), 0.5);
    assert.equal(of('/weight', 'weight'), undefined);
    assert.equal(of('/phi "my runs/mine"', 'phi'), 'my runs/mine');
    assert.equal(of('/unique', 'unique'), true);
    assert.equal(of('/unique .95', 'unique'), 0.95);
    assert.equal(of('/unique off', 'unique'), false);
    assert.equal(of('/top 5', 'top'), 5);
    assert.equal(of('/next', 'page'), 3);
    assert.equal(of('/back', 'page'), 1);
  });

  test('says what it takes, and where there is an end', () => {
    for (const line of ['/weight much', '/unique often', '/top 0', '/method magic', '/phi']) {
      assert.match(printed(line), new RegExp(`^${line.split(' ')[0]} takes`));
    }
    assert.equal(printed('/next', request, { ...last, hits: [hit('d')] }), 'there are no more results');
    assert.equal(printed('/back', { ...request, page: 1 }), 'these are the first results');
    assert.match(printed('/nonsense'), /is not a command; \/help lists them/);
    assert.deepEqual(stepOf('/open', request, last), { open: 'page' });
    assert.deepEqual(stepOf('/open #4', request, last), { open: 4 });
    assert.equal(printed('/open 1'), 'there is no result 1');
    assert.equal(printed('/open', request, 'none'), 'nothing was found yet');
    assert.equal(stepOf('/show', request, last), 'show');
    assert.deepEqual(
      ['/quit', '/exit'].map((line) => stepOf(line, request, last)),
      ['end', 'end'],
    );
    for (const name of Object.keys(commands)) assert.ok(help.includes(`/${name}`), name);
    assert.equal(printed('/help'), help);
  });
});
