/** The bar's text, and that it appears on terminals only and leaves no trace. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatBytes, formatDuration } from '../../core/index.ts';
import { barLine, Reporter } from './progress.ts';

/** What a reporter writes, and a clock to move. */
function recorded(isTTY: boolean) {
  const state = { text: '', now: 0 };
  const stream = { isTTY, columns: 60, write: (text: string) => (state.text += text) };
  return { state, reporter: new Reporter(stream, () => state.now) };
}

test('a bar shows how much is done, how fast, and how long it will take', () => {
  const work = { label: 'embedding', unit: 'images', total: 1200, begun: 200 } as const;
  assert.equal(barLine(work, 200, 0), 'embedding ████░░░░░░░░░░░░░░░░░░░░ 200 of 1,200');
  assert.equal(
    barLine(work, 700, 40),
    'embedding ██████████████░░░░░░░░░░ 700 of 1,200, 12.5 images/s, 40 s left',
  );
  assert.match(barLine(work, 1200, 80), /█{24} 1,200 of 1,200, 12.5 images\/s$/);
  const bytes = { label: 'downloading base', unit: 'bytes', total: 605e6 } as const;
  assert.match(barLine(bytes, 60e6, 10), / 60 MB of 605 MB, 6\.0 MB\/s, 91 s left$/);
});

test('a terminal has the bar on its last line, cut to its width', () => {
  const { state, reporter } = recorded(true);
  reporter.begin({ label: 'embedding', unit: 'texts', total: 10 });
  reporter.note('a line');
  state.now = 50;
  reporter.advance(1); // too soon to draw
  assert.equal(state.text.match(/0 of 10/g)?.length, 2);
  state.now = 1000;
  reporter.advance(5);
  reporter.end();
  const drawings = state.text.split('\r\x1b[K');
  assert.equal(drawings[2], 'a line\n');
  assert.match(drawings[4]!, /5 of 10, 5 texts\/s, 1\.0 $/);
  assert.ok(drawings.every((drawing) => drawing.length < 60));
  assert.equal(drawings.at(-1), '');
});

test('elsewhere there are lines only', () => {
  const { state, reporter } = recorded(false);
  reporter.begin({ label: 'embedding', unit: 'texts', total: 10 });
  reporter.advance(10);
  reporter.note('a line');
  reporter.end();
  assert.equal(state.text, 'a line\n');
});

test('sizes and durations are short', () => {
  assert.deepEqual([0, 999, 1234, 605_247_071, 1.7e9].map(formatBytes), [
    '0 B',
    '999 B',
    '1.2 kB',
    '605 MB',
    '1.7 GB',
  ]);
  assert.deepEqual([0.017, 1.84, 87.3, 720, 11_100].map(formatDuration), [
    '17 ms',
    '1.8 s',
    '87 s',
    '12 min',
    '3 h 5 min',
  ]);
});
