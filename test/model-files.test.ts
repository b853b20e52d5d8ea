/** Small files of models, in many versions, give what Python's libraries read out of them. */
// model-files.json is by test/fixtures/make_model_files.py.

import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { loadTokenizer, preprocessImage, readClipConfig, readPreprocessing } from '../src/clip/index.ts';
import { folderFiles } from '../src/files/index.ts';

/** How tokenizer.json differs from tiny-clip's: keys that are gone, and keys with other values, each with its path. */
interface Changes {
  readonly without: readonly (readonly string[])[];
  readonly with: readonly (readonly [...path: string[], value: unknown])[];
}

interface ModelFiles {
  readonly picture: string;
  readonly texts: readonly string[];
  readonly configs: readonly { name: string; json: unknown; expected: unknown }[];
  readonly processors: readonly {
    name: string;
    json: unknown;
    expected: { shape: number[]; sum: number; squares: number };
  }[];
  /** A file that is `true` is tiny-clip's. */
  readonly tokenizers: readonly { name: string; files: Record<string, unknown>; ids: number[][] }[];
}

const fixtures = join(import.meta.dirname, 'fixtures');
const tinyClip = join(fixtures, 'tiny-clip');
const files: ModelFiles = JSON.parse(readFileSync(join(fixtures, 'model-files.json'), 'utf8'));
const scratch = mkdtempSync(join(tmpdir(), 'lincir-model-files-'));
after(() => rmSync(scratch, { recursive: true }));

describe('config.json', () => {
  for (const { name, json, expected } of files.configs) {
    test(name, () => {
      const { text, vision } = readClipConfig(json, 'config.json');
      // transformers takes an end of text of 2 for that of old files: the largest id.
      const endOfText = text?.endOfText === 'largest' ? 2 : text?.endOfText;
      assert.deepEqual({ text: { ...text, endOfText }, vision }, expected);
    });
  }
});

describe('preprocessor_config.json', () => {
  for (const { name, json, expected } of files.processors) {
    test(name, async () => {
      const preprocessing = readPreprocessing(json, 'preprocessor_config.json');
      const values = await preprocessImage(join(fixtures, 'images', files.picture), preprocessing);
      const { height, width } = preprocessing.crop;
      assert.deepEqual([3, height, width], expected.shape);
      const sum = values.reduce((total, value) => total + value, 0);
      const squares = values.reduce((total, value) => total + value * value, 0);
      assert.ok(Math.abs(sum - expected.sum) <= 1e-6 * expected.squares, `${sum}, not ${expected.sum}`);
      assert.ok(Math.abs(squares - expected.squares) <= 1e-6 * expected.squares, `${squares}`);
    });
  }
});

describe('tokenizers', () => {
  for (const { name, files: own, ids } of files.tokenizers) {
    test(name, async () => {
      const folder = mkdtempSync(join(scratch, 'model-'));
      for (const [file, content] of Object.entries(own)) {
        const path = join(folder, file);
        if (content === true) cpSync(join(tinyClip, file), path);
        else if (typeof content === 'string') writeFileSync(path, content);
        else
          writeFileSync(
            path,
            JSON.stringify(file === 'tokenizer.json' ? changed(content as Changes) : content),
          );
      }
      const { encode } = await loadTokenizer(folderFiles(folder));
      for (const [index, text] of files.texts.entries()) {
        assert.deepEqual(encode(text).ids.slice(1, -1), ids[index], text);
      }
    });
  }
});

function changed(changes: Changes): unknown {
  const whole: Record<string, unknown> = JSON.parse(readFileSync(join(tinyClip, 'tokenizer.json'), 'utf8'));
  // All but the model's own keys stand at the top.
  const parentOf = (path: readonly unknown[]) => (path.length === 2 ? (whole.model as typeof whole) : whole);
  for (const path of changes.without) delete parentOf(path)[path.at(-1)!];
  for (const [...path] of changes.with) {
    const value = path.pop();
    parentOf(path)[path.at(-1) as string] = value;
  }
  return whole;
}
