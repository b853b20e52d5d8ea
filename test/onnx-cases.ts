/** Towers of every family as ONNX files, with inputs in one padded batch, and what lincir's own towers give for them. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  openTowers,
  parametersOf,
  plainTextTower,
  plainVisionTower,
  type TextConfig,
  type TokenRow,
  takesAttentionMask,
  textInputs,
  textTower,
  tokenBatches,
  type VisionConfig,
  visionInput,
  visionTower,
} from '../src/clip/index.ts';
import { uniforms } from '../src/core/index.ts';
import { folderFiles, singleFile } from '../src/files/index.ts';
import {
  modelFiles,
  type RunTensor,
  Session,
  type StandaloneOptions,
  type Value,
} from '../src/onnx/index.ts';

export interface OnnxCase {
  /** The file's path. */
  readonly file: string;
  readonly feeds: Readonly<Record<string, RunTensor>>;
  readonly expected: readonly number[];
}

const fixtures = join(import.meta.dirname, 'fixtures');
/** Which of the ids stands for pseudo tokens. */
const placeholder = 7;

const random = (count: number, seed: number): Float32Array =>
  uniforms({ seed, purpose: 'noise', moment: 0, row: 0 }, count).map((u) => 2 * u - 1);

/** @param model a folder of fixtures, or a file in one */
export async function towerCases(
  model: string,
  folder: string,
  options?: StandaloneOptions,
): Promise<OnnxCase[]> {
  const path = join(fixtures, model);
  const { config, checkpoint } = await openTowers(
    model.endsWith('.pt') ? await singleFile(path) : folderFiles(path),
  );
  const parameter = parametersOf(checkpoint.tensors);
  const name = model.replaceAll(/\W/g, '-');
  const cases: OnnxCase[] = [];
  const add = async (
    part: string,
    outputs: Readonly<Record<string, Value>>,
    rest: Omit<OnnxCase, 'file'>,
  ) => {
    cases.push({ file: await writeModel(join(folder, `${name}-${part}.onnx`), outputs, options), ...rest });
  };
  if (config.vision)
    await add('vision', plainVisionTower(config.vision, parameter), await images(config.vision));
  if (config.text) {
    const plain = rowsOf(config.text, false);
    await add('text', plainTextTower(config.text, parameter), await texts(config.text, plain));
    const composed = rowsOf(config.text, true);
    await add(
      'composing',
      plainTextTower(config.text, parameter, { placeholder }),
      await texts(config.text, composed),
    );
  }
  return cases;

  async function images(vision: VisionConfig) {
    const shape = [2, vision.channels, vision.imageSize, vision.imageSize];
    const pixels = {
      shape,
      data: random(
        shape.reduce((a, b) => a * b),
        1,
      ),
    };
    const tower = visionTower(visionInput(vision), vision, parameter);
    return { feeds: { pixel_values: pixels }, expected: await results(tower, [{ pixels }]) };
  }

  async function texts(text: TextConfig, rows: readonly TokenRow[]) {
    const tower = textTower(textInputs(text), text, parameter);
    const each = rows.map((row) => tokenBatches([row], text, 1e6)[0]!.feeds);
    return { feeds: feedsOf(text, rows), expected: await results(tower, each) };
  }
}

/** What a tower gives for each of the feeds, one after the other. */
async function results(
  tower: Value,
  feeds: readonly Readonly<Record<string, RunTensor>>[],
): Promise<number[]> {
  const session = await Session.create({ tower }, { prepack: false });
  const found: number[] = [];
  for (const each of feeds) found.push(...(await session.run<'tower'>(each)).tower.data);
  await session.dispose();
  return found;
}

async function writeModel(
  path: string,
  outputs: Readonly<Record<string, Value>>,
  options?: StandaloneOptions,
): Promise<string> {
  for (const file of modelFiles(path.slice(path.lastIndexOf('/') + 1), outputs, options)) {
    await writeFile(join(path, '..', file.name), Buffer.concat(await Array.fromAsync(file.bytes())));
  }
  return path;
}

/** Rows of several lengths: with one pseudo token, two, and none; or all without. */
function rowsOf(text: TextConfig, isComposed: boolean): TokenRow[] {
  const { vocabulary, positions, endOfText, width } = text;
  const end = typeof endOfText === 'number' ? endOfText : vocabulary - 1;
  const longest = Math.min(positions, 11);
  return [longest, 5, 8, longest - 1].map((length, row) => {
    const ids = Array.from(random(length - 1, row), (u) => 8 + Math.floor(Math.abs(u) * (vocabulary - 16)));
    // As BERT's begin, and none begins with a placeholder.
    const whole = [...ids.map((id) => (id === end ? id + 1 : id)), end];
    const places = isComposed ? [[2], [1, 3], [], [4]][row]! : [];
    for (const place of places) whole[place] = placeholder;
    const injected = places.map((position) => ({ position, vector: random(width, 100 * row + position) }));
    return { ids: whole, injected };
  });
}

/** The rows as other programs give them. */
function feedsOf(text: TextConfig, rows: readonly TokenRow[]): Readonly<Record<string, RunTensor>> {
  const longest = Math.max(...rows.map(({ ids }) => ids.length));
  const shape = [rows.length, longest];
  const table = (of: (row: TokenRow, at: number) => number): RunTensor => {
    const values = rows.flatMap((row) => Array.from({ length: longest }, (_, at) => of(row, at)));
    return { shape, data: BigInt64Array.from(values, BigInt) };
  };
  const padding = text.padding ?? rows[0]!.ids.at(-1)!;
  const vectors = rows.flatMap(({ injected = [] }) => injected.map(({ vector }) => vector));
  return {
    input_ids: table(({ ids }, at) => ids[at] ?? padding),
    ...(takesAttentionMask(text) && { attention_mask: table(({ ids }, at) => Number(at < ids.length)) }),
    ...(vectors.length > 0 && {
      pseudo_tokens: {
        shape: [vectors.length, text.width],
        data: Float32Array.from(vectors.flatMap((vector) => [...vector])),
      },
    }),
  };
}
