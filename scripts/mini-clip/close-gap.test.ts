/** Closing the gap: images get texts' mean and spread through the projection and the bias that make them. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normals } from '../../src/core/index.ts';
import { closeGap } from './close-gap.ts';
import { emptyParameters, miniConfig } from './model.ts';

const [width, rows] = [8, 50];
const shape = {
  ...{ width, heads: 2, textLayers: 1, visionLayers: 1, feedForward: 8, projection: 6 },
  ...{ positions: 9, imageSize: 8, patchSize: 4 },
};
const noise = (row: number, count: number) => normals({ seed: 4, purpose: 'noise', moment: 0, row }, count);

test('images get the mean and the spread of texts', () => {
  const narrow = { ...shape, projection: width }; // a shift in any direction is within reach
  const parameters = emptyParameters(miniConfig(narrow, 600));
  const projection = parameters.tensors.get('visual_projection.weight')!.data;
  const bias = parameters.tensors.get('vision_model.post_layernorm.bias')!.data;
  projection.set(noise(0, width * width));
  const hidden = noise(1, rows * width);
  const project = () =>
    Float32Array.from({ length: rows * width }, (_, at) => {
      const [row, axis] = [Math.floor(at / width), at % width];
      return bias.reduce(
        (sum, shift, k) => sum + projection[axis * width + k]! * (hidden[row * width + k]! + shift),
        0,
      );
    });
  const texts = noise(2, rows * width).map((value, at) => 3 * value + (at % width));
  closeGap(parameters, { shape: [rows, width], data: project() }, { shape: [rows, width], data: texts });

  const moments = (data: Float32Array) => {
    const mean = Array.from({ length: width }, (_, axis) =>
      data.filter((_, at) => at % width === axis).reduce((sum, value) => sum + value / rows, 0),
    );
    const spread = Math.sqrt(data.reduce((sum, value, at) => sum + (value - mean[at % width]!) ** 2, 0));
    return [...mean, spread / Math.sqrt(rows)];
  };
  const [found, expected] = [moments(project()), moments(texts)];
  found.forEach((value, at) => {
    assert.ok(Math.abs(value - expected[at]!) < 1e-3, `${at}: ${value} for ${expected[at]}`);
  });
});
