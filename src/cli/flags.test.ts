/** Messages of the library as the command line tells them. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Command } from 'commander';
import { call, LincirError, option } from '../core/index.ts';
import { inFlags } from './flags.ts';

interface Options {
  readonly maxPixels?: number;
  readonly images?: readonly string[];
  readonly method?: string;
  readonly prepack?: boolean;
}

const command = new Command()
  .option('--max-pixels <n>')
  .option('--image <file...>')
  .option('--method <name>');

test('a message names options as the library has them, and a command line its flags and commands', () => {
  const { message } = new LincirError('bad-argument', {
    subject: option<Options>('images'),
    expected: 'small ones',
    found: 'a large one',
    todo: `raise ${option<Options>('maxPixels')}, give ${option<Options>('method', 'sum')}, or call ${call('reindex', 'a.lance')}`,
  });
  assert.equal(
    message,
    "`images`: expected small ones, found a large one; raise `maxPixels`, give `method: 'sum'`, or call `reindex('a.lance')`",
  );
  assert.equal(
    inFlags(message, command),
    '--image: expected small ones, found a large one; raise --max-pixels, give --method sum, or call lincir reindex --index a.lance',
  );
});

test('a command has the options that make it a remedy, as a shell takes them', () => {
  const given = { model: "my folder's", precision: undefined, targetPad: 1.25 };
  const remedy = `rebuild: ${call('reindex', 'a b.lance', given)}, or give ${option<Options>('method', 'sum')}`;
  assert.equal(
    remedy,
    "rebuild: `reindex('a b.lance')` with `model: 'my folder's'`, `targetPad: 1.25`, or give `method: 'sum'`",
  );
  assert.equal(
    inFlags(remedy, command),
    "rebuild: lincir reindex --index 'a b.lance' --model 'my folder'\\''s' --target-pad 1.25, or give --method sum",
  );
  assert.equal(inFlags(option<Options>('method', 'my own'), command), "--method 'my own'");
  assert.equal(
    inFlags(call('reindex', 'a.lance', { precision: 'int8' }), command),
    'lincir reindex --index a.lance --precision int8',
  );
});

test('other words, options that a command lacks, and what a shell runs stay as they are', () => {
  const message = `images: see ${option<Options>('prepack')}, maxPixels, \`images of mine\` or \`npm install x\``;
  assert.equal(inFlags(message, command), message);
});
