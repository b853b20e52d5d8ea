/** The contrastive loss of a batch of pairs and its gradient for every parameter, as one graph (Radford et al., 2021). */

import { type ClipConfig, type TextInputs, textTower, visionTower } from '../../src/clip/index.ts';
import {
  add,
  concat,
  constant,
  crossEntropy,
  exp,
  gemm,
  gradients,
  input,
  integers,
  l2Normalize,
  meanSquaredError,
  mul,
  type RunTensor,
  reduceMean,
  Session,
  type SessionOptions,
  transpose,
  type Value,
} from '../../src/onnx/index.ts';
import { bothTowers, type ClipParameters, logitScaleName, parameterInputs } from './model.ts';

/** Weight of the term that keeps the gap small, which the cross entropies ignore. */
export const gapWeight = 4;

/** Images and their captions' ids, row by row. */
export interface PairBatch {
  /** Preprocessed: [batch, 3, height, width] */
  readonly pixels: Float32Array;
  /** With start and end of text. */
  readonly captions: readonly (readonly number[])[];
}

export interface Contrast {
  readonly loss: number;
  /** Cosines times the temperature factor, image by caption, in the order of the rows. [batch, batch] */
  readonly logits: Float32Array;
}

/**
 * Symmetric cross entropy of cosines, as in CLIP's figure 3, and the squared distance between the means of both sides, so
 * that no gap opens between images and texts (Liang et al., "Mind the Gap", 2022). Captions come in `groups` of similar
 * length, the shortest first, so that few positions are padding.
 * @param batch a multiple of `groups`
 */
function contrastGraph(config: ClipConfig, batch: number, groups: number) {
  const { text, vision } = bothTowers(config);
  const { parameter, inputs } = parameterInputs();
  const { channels, imageSize } = vision;
  const pixels = input('pixels', 'float32', [batch, channels, imageSize, imageSize]);
  const captions = Array.from({ length: groups }, (_, group): TextInputs => {
    const rows = batch / groups;
    return {
      ids: input(`ids${group}`, 'int64', [rows, `positions${group}`]),
      ends: input(`ends${group}`, 'int64', [rows, 2]),
      placements: integers([], [0, 2]),
      injected: constant(new Float32Array(0), [0, text.width]),
    };
  });
  const images = visionTower(pixels, vision, parameter); // [batch, projection]
  const texts = concat(
    captions.map((group) => textTower(group, text, parameter)),
    0,
  );
  const factor = exp(parameter(logitScaleName, []));
  const cosines = gemm(l2Normalize(images), l2Normalize(texts), { transB: true }); // [batch, batch]
  const logits = mul(cosines, factor);
  const labels = integers([...Array(batch).keys()]);
  const both = add(crossEntropy(logits, labels), crossEntropy(transpose(logits, [1, 0]), labels));
  const gap = meanSquaredError(reduceMean(images, [0]), reduceMean(texts, [0]));
  const loss = add(mul(both, constant(0.5)), mul(gap, constant(gapWeight)));
  const names = [...inputs.keys()];
  const slopes = gradients(loss, [...inputs.values()]);
  const outputs: Record<string, Value> = { loss, logits };
  names.forEach((name, at) => {
    outputs[`gradient:${name}`] = slopes[at]!;
  });
  return outputs;
}

/** The graph of a training step, ready to run. Owns memory outside JavaScript: dispose of it. */
export class ContrastStep {
  readonly #session: Session;
  readonly #config: ClipConfig;
  readonly #groups: number;

  private constructor(session: Session, config: ClipConfig, groups: number) {
    this.#session = session;
    this.#config = config;
    this.#groups = groups;
  }

  /** @throws LincirError 'device' */
  static async create(
    config: ClipConfig,
    batch: number,
    groups: number,
    options: Pick<SessionOptions, 'threads'> = {},
  ): Promise<ContrastStep> {
    const session = await Session.create(contrastGraph(config, batch, groups), options);
    return new ContrastStep(session, config, groups);
  }

  /**
   * Loss and logits of a batch. It is fastest if captions are ordered by length.
   * @param gradient receives the gradient of the loss, laid out like the parameters
   */
  async run(
    { pixels, captions }: PairBatch,
    parameters: ClipParameters,
    gradient: Float32Array,
  ): Promise<Contrast> {
    const { channels, imageSize } = bothTowers(this.#config).vision;
    const feeds: Record<string, RunTensor> = {
      ...Object.fromEntries(parameters.tensors),
      pixels: { shape: [captions.length, channels, imageSize, imageSize], data: pixels },
    };
    const size = captions.length / this.#groups;
    for (let group = 0; group < this.#groups; group += 1) {
      const rows = captions.slice(group * size, (group + 1) * size);
      const positions = Math.max(...rows.map((ids) => ids.length));
      const ids = new BigInt64Array(size * positions);
      rows.forEach((row, at) => {
        ids.set(row.map(BigInt), at * positions);
      });
      const ends = BigInt64Array.from(rows.flatMap((row, at) => [BigInt(at), BigInt(row.length - 1)]));
      feeds[`ids${group}`] = { shape: [size, positions], data: ids };
      feeds[`ends${group}`] = { shape: [size, 2], data: ends };
    }
    const found = await this.#session.run<string>(feeds);
    let begin = 0;
    for (const name of parameters.tensors.keys()) {
      const { data } = found[`gradient:${name}`]!;
      gradient.set(data, begin);
      begin += data.length;
    }
    return { loss: found.loss!.data[0]!, logits: found.logits!.data };
  }

  async dispose(): Promise<void> {
    await this.#session.dispose();
  }
}
