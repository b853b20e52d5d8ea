/** Threads that answer, fail, die and come back. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Thread } from './thread.ts';

const code = `
import { parentPort as port } from 'node:worker_threads';
port.on('message', (message) => {
  if (message === 'close') return port.close();
  const { number, question } = message;
  if (question === 'die') process.exit(3);
  if (question === 'fail') {
    const problem = { subject: 'it', expected: 'this', found: 'that' };
    return port.postMessage({ number, failed: { code: 'bad-file', problem } });
  }
  port.postMessage({ news: question });
  port.postMessage({ number, answer: question.length });
});
`;
const file = new URL(`data:text/javascript,${encodeURIComponent(code)}`);

test('answers, tells news and fails as the work does', async () => {
  const news: string[] = [];
  const thread = new Thread<string, number, string>(file, null, (text) => news.push(text));
  assert.equal(thread.isStarted, false);
  assert.deepEqual(await Promise.all([thread.ask('a'), thread.ask('bcd')]), [1, 3]);
  assert.deepEqual(news, ['a', 'bcd']);
  await assert.rejects(thread.ask('fail'), {
    name: 'LincirError',
    code: 'bad-file',
    message: 'it: expected this, found that',
  });
  await thread.close();
  assert.equal(thread.isStarted, false);
  await thread.close();
});

test('one that dies fails what waits, and starts again', async () => {
  const thread = new Thread<string, number, string>(file, null);
  const outcomes = await Promise.allSettled([thread.ask('die'), thread.ask('a')]);
  for (const outcome of outcomes) {
    assert.equal(outcome.status === 'rejected' && outcome.reason.code, 'device');
  }
  assert.equal(await thread.ask('again'), 5);
  await thread.close();
});
