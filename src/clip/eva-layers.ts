/** The layers of EVA-02's and Perception Encoder's vision towers (Fang et al., 2023; Sun et al., 2023; Bolya et al., 2025). */

import { add, constant, mul, multiHeadAttention, quickGelu, rotate, type Value } from '../onnx/index.ts';
import type { EvaConfig, RotaryConfig, VisionConfig } from './config.ts';
import { type Arithmetic, feedForward, inLayer } from './transformer.ts';

/** Of rotary positions: a head's channels turn by up to one radian a place, and the slowest by nearly this many times less. */
const temperature = 10_000;

/** Gives queries and keys their places. */
type Turn = (x: Value) => Value;

/**
 * All layers, the last of which only computes the chosen positions.
 * @param x hidden states [batch, positions, width]
 * @param choose picks the rows that are wanted: all, or the class token
 * @returns [batch, chosen, width]
 */
export function evaLayers(
  x: Value,
  config: VisionConfig,
  eva: EvaConfig,
  arithmetic: Arithmetic,
  choose: (hidden: Value) => Value,
): Value {
  const turn = eva.rotary ? turning(config, eva, eva.rotary) : (same: Value) => same;
  let hidden = x;
  for (let index = 0; index < config.layers - 1; index++) {
    hidden = layer(hidden, hidden, config, eva, inLayer(arithmetic, index), turn);
  }
  return layer(choose(hidden), hidden, config, eva, inLayer(arithmetic, config.layers - 1), turn);
}

function layer(
  rows: Value,
  hidden: Value,
  config: VisionConfig,
  { gated, keyBias }: EvaConfig,
  { norm, product }: Arithmetic,
  turn: Turn,
): Value {
  const { width, heads } = config;
  const all = norm(hidden, 'layer_norm1');
  const isWhole = rows === hidden;
  const queries = product(isWhole ? all : norm(rows, 'layer_norm1'), 'self_attn.q_proj', width);
  const context = multiHeadAttention(
    [
      isWhole ? turn(queries) : queries, // the class token has no place
      turn(product(all, 'self_attn.k_proj', width, keyBias)),
      product(all, 'self_attn.v_proj', width),
    ],
    heads,
    1 / Math.sqrt(width / heads),
  );
  const inner = gated ? norm(context, 'self_attn.layer_norm') : context;
  const attended = add(rows, product(inner, 'self_attn.out_proj', width));

  const input = norm(attended, 'layer_norm2');
  const fed = gated
    ? gatedFeedForward(input, config, { norm, product })
    : feedForward(input, config, product);
  return add(attended, fed);
}

/** SwiGLU (Shazeer, 2020) with a norm inside. */
function gatedFeedForward(
  x: Value,
  { width, feedForward: between }: VisionConfig,
  { norm, product }: Arithmetic,
): Value {
  const gate = quickGelu(product(x, 'mlp.gate', between), 1); // SiLU
  const inner = mul(gate, product(x, 'mlp.fc1', between));
  return product(norm(inner, 'mlp.layer_norm'), 'mlp.fc2', width);
}

/** Turns a patch's channels by its place: half of each head's by its row, half by its column (Su et al., 2021). */
function turning(
  { width, heads, imageSize, patchSize }: VisionConfig,
  { classToken }: EvaConfig,
  { side, first, order }: RotaryConfig,
): Turn {
  const patches = Math.floor(imageSize / patchSize);
  const half = width / heads / 2;
  const speeds = Array.from({ length: half / 2 }, (_, at) => temperature ** (-at / (half / 2)));
  const place = (at: number) => ((at + first) / patches) * side;
  const angles = Array.from({ length: patches ** 2 }, (_, patch) => {
    const [row, column] = [place(Math.floor(patch / patches)), place(patch % patches)];
    const [before, after] = order === 'rows' ? [row, column] : [column, row];
    return [...speeds.map((speed) => before * speed), ...speeds.map((speed) => after * speed)];
  });
  const rows = [...(classToken ? [Array<number>(half).fill(0)] : []), ...angles];
  const table = (of: (angle: number) => number): Value =>
    constant(Float32Array.from(rows.flat(), of), [rows.length, half]);
  const [cosines, sines] = [table(Math.cos), table(Math.sin)];
  return (x) => rotate(x, cosines, sines);
}
