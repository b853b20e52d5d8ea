/** Whole models: loading from folders of every kind, and encoding texts and images in any number. */

import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Clip, loadClip } from './clip.ts';

const fixtures = join(import.meta.dirname, '../../test/fixtures');
const tiny = join(fixtures, 'tiny-clip');
const picture = (shade: number) => ({ data: new Uint8Array(3 * 40 * 30).fill(shade), width: 40, height: 30 });

describe('encoding', () => {
  let clip: Clip;
  before(async () => {
    clip = await loadClip(tiny);
  });
  after(() => clip.dispose());

  test('texts come in their order, each as if it were alone', async () => {
    const texts = ['a dog', 'a very long text about two dogs on a beach, and their shadows', 'red', ''];
    const together = await clip.encodeTexts(texts);
    assert.deepEqual(together.shape, [4, 24]);
    for (const [index, text] of texts.entries()) {
      const alone = await clip.encodeTexts([text]);
      close(together.data.subarray(index * 24, (index + 1) * 24), alone.data);
    }
  });

  test('independent rows are the same to the bit in any company, with computed beginnings too', async () => {
    const prefixed = await loadClip(tiny, { beginnings: ['a photo of'] });
    const texts = [
      'a photo of a dog',
      'two dogs on a beach',
      '',
      'a photo of',
      'a photo of red hats now',
      'red',
    ];
    const rows = texts.map((text) => clip.tokenizer.encode(text));
    const exact = await clip.encodeTokens(rows);
    for (const model of [clip, prefixed]) {
      const together = await model.encodeTokens(rows, true);
      close(together.data, exact.data);
      for (const [at, row] of rows.entries()) {
        const alone = await model.encodeTokens([row], true);
        assert.deepEqual(alone.data, together.data.slice(at * 24, (at + 1) * 24), texts[at]);
      }
    }
    await prefixed.dispose();
  });

  test('streams give what arrays give, in order', async () => {
    const texts = Array.from({ length: 1500 }, (_, index) => `dog number ${index}`);
    const batches = await Array.fromAsync(clip.textBatches(texts));
    assert.deepEqual(
      batches.map(({ shape }) => shape[0]),
      [256, 256, 256, 256, 256, 220],
    );
    const last = await clip.encodeTexts(texts.slice(-1));
    close(batches.at(-1)!.data.subarray(-24), last.data);

    const shades = Array.from({ length: 130 }, (_, index) => picture(index));
    const streamed = await Array.fromAsync(clip.imageBatches(shades));
    assert.equal(
      streamed.reduce((sum, { shape }) => sum + shape[0]!, 0),
      130,
    );
    const alone = await clip.encodeImages([picture(129)]);
    close(streamed.at(-1)!.data.subarray(-24), alone.data);
  });

  test('normalized embeddings have length 1', async () => {
    const { data } = await clip.encodeImages([picture(10), picture(200)], { normalize: true });
    for (const start of [0, 24])
      assert.ok(Math.abs(Math.hypot(...data.subarray(start, start + 24)) - 1) < 1e-6);
  });

  test('nothing in, nothing out', async () => {
    assert.deepEqual((await clip.encodeTexts([])).shape, [0, 24]);
    assert.deepEqual((await clip.encodeImages([])).shape, [0, 24]);
  });

  test('a text too long is cut and told of, or refused', async () => {
    const texts = ['short', 'dog '.repeat(100)];
    const cut: number[] = [];
    await clip.encodeTexts(texts, { onTruncated: (_, index) => cut.push(index) });
    assert.deepEqual(cut, [1]);
    await assert.rejects(
      clip.encodeTexts(texts, { strict: true }),
      /^LincirError: text 2: expected at most 77 tokens/,
    );
  });

  test('a broken image is named, whatever stands around it', async () => {
    const broken = join(tiny, 'config.json');
    await assert.rejects(clip.encodeImages([picture(1), broken, picture(2)]), {
      code: 'bad-file',
      message: /config\.json/,
    });
    const found: string[] = [];
    const onBroken = (error: Error, index: number) => found.push(`${index}: ${error.message}`);
    const { data } = await clip.encodeImages([picture(1), new Uint8Array(9), picture(2)], { onBroken });
    assert.match(found.join('\n'), /^1: image 2: expected .*$/);
    assert.deepEqual(data.subarray(24, 48), new Float32Array(24));
    close(data.subarray(48), (await clip.encodeImages([picture(2)])).data);
    await assert.rejects(clip.encodeImages([join(tiny, 'none.png')]), {
      code: 'not-found',
      message: /none\.png/,
    });
  });
});

describe('loading', () => {
  const folders: string[] = [];
  after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

  /** A copy of the tiny model whose JSON file is changed. */
  const changed = async (
    file: string,
    change: (json: Record<string, Record<string, unknown>>) => void,
  ): Promise<string> => {
    const folder = await mkdtemp(join(tmpdir(), 'lincir-clip-'));
    folders.push(folder);
    await cp(tiny, folder, { recursive: true });
    const json = JSON.parse(await readFile(join(folder, file), 'utf8'));
    change(json);
    await writeFile(join(folder, file), JSON.stringify(json));
    return folder;
  };

  test('the fingerprint follows the weights, not the files they lie in', async () => {
    const load = async (folder: string): Promise<string> => {
      const clip = await loadClip(folder);
      await clip.dispose();
      return clip.fingerprint;
    };
    const original = await load(tiny);
    assert.equal(await load(await changed('tokenizer_config.json', () => {})), original);
    assert.notEqual(await load(join(fixtures, 'tiny-clip-laion')), original);
    assert.notEqual(
      await load(
        await changed('config.json', ({ text_config }) => {
          text_config!.layer_norm_eps = 0.1;
        }),
      ),
      original,
    );
  });

  test('preprocessing is read where transformers 5 writes it, and that counts before older files', async () => {
    const folder = await changed('preprocessor_config.json', () => {});
    const older = JSON.parse(await readFile(join(folder, 'preprocessor_config.json'), 'utf8'));
    const write = (json: object) => writeFile(join(folder, 'processor_config.json'), JSON.stringify(json));
    const meanOf = async () => {
      const clip = await loadClip(folder);
      await clip.dispose();
      return clip.preprocessing.mean;
    };
    await write({ processor_class: 'CLIPProcessor' });
    assert.deepEqual(await meanOf(), older.image_mean);
    await write({ image_processor: { ...older, image_mean: [0.5, 0.5, 0.5] } });
    assert.deepEqual(await meanOf(), [0.5, 0.5, 0.5]);
    await rm(join(folder, 'preprocessor_config.json'));
    assert.deepEqual(await meanOf(), [0.5, 0.5, 0.5]);
  });

  test("a snapshot in Hugging Face's cache, whose files are links, is read where the blobs lie", async () => {
    const cache = await mkdtemp(join(tmpdir(), 'lincir-clip-'));
    folders.push(cache);
    const snapshot = join(cache, 'snapshots', 'commit');
    await mkdir(snapshot, { recursive: true });
    await mkdir(join(cache, 'blobs'));
    for (const [index, name] of (await readdir(tiny)).entries()) {
      await cp(join(tiny, name), join(cache, 'blobs', `${index}`));
      await symlink(join('..', '..', 'blobs', `${index}`), join(snapshot, name));
    }
    const [linked, plain] = [await loadClip(snapshot), await loadClip(tiny)];
    assert.deepEqual(await linked.encodeTexts(['a dog']), await plain.encodeTexts(['a dog']));
    await Promise.all([linked.dispose(), plain.dispose()]);
  });

  test('a model of one tower says what it lacks', async () => {
    const clip = await loadClip(join(fixtures, 'tiny-clip-text'));
    await assert.rejects(clip.encodeImages([picture(0)]), {
      code: 'bad-config',
      message: /a model with a vision tower/,
    });
    await clip.dispose();
  });

  test('weights that are not as the config says are refused by name', async () => {
    const wider = await changed('config.json', ({ text_config }) => {
      text_config!.intermediate_size = 65;
    });
    await assert.rejects(
      loadClip(wider),
      /mlp\.fc1\.weight: expected shape \[65, 32\], as config\.json says, found \[64, 32\]/,
    );
  });

  test('preprocessing that does not fit the model is refused', async () => {
    const folder = await changed('preprocessor_config.json', (json) => {
      json.crop_size = { height: 16, width: 16 };
    });
    await assert.rejects(
      loadClip(folder),
      /preprocessor_config\.json: expected images as config\.json has them, 3 x 32 x 32/,
    );
  });

  test("without preprocessing of its own, a model has CLIP's", async () => {
    const bare = await changed('config.json', () => {});
    await rm(join(bare, 'preprocessor_config.json'));
    const [clip, original] = [await loadClip(bare), await loadClip(tiny)];
    assert.deepEqual(await clip.encodeImages([picture(9)]), await original.encodeImages([picture(9)]));
    await Promise.all([clip.dispose(), original.dispose()]);
  });

  test('what is missing is named', async () => {
    await assert.rejects(loadClip(join(fixtures, 'nowhere')), { code: 'not-found' });
    await assert.rejects(
      loadClip(tiny, { device: 'cuda' }).then((clip) => clip.encodeTexts(['a'])),
      { code: 'device' },
    );
  });
});

function close(a: Float32Array, b: Float32Array): void {
  assert.equal(a.length, b.length);
  const largest = Math.max(...b.map(Math.abs));
  for (const [index, value] of a.entries()) assert.ok(Math.abs(value - b[index]!) < 2e-5 * largest);
}
