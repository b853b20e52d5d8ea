/** Tells from a few weights whether they are OpenAI's, whose code rounds products to float16, and leaves norms as they are. */

import { type Checkpoint, elementCount, halfOf, readTensor, valueOfHalf } from '../../core/index.ts';

/** Small ones, under the names of CLIPModel. */
const product = 'text_model.encoder.layers.0.self_attn.q_proj.bias';
const norm = 'text_model.final_layer_norm.weight';
const mostWidth = 65_536;

/** Stored in any type. OpenCLIP's training in `fp16` rounds in the same way, but few train so. */
export async function isRoundedAsOpenAis({ tensors }: Checkpoint): Promise<boolean> {
  const [bias, scale] = [tensors.get(product), tensors.get(norm)];
  if (bias === undefined || scale === undefined) return false;
  if (elementCount(bias.shape) > mostWidth || elementCount(scale.shape) > mostWidth) return false;
  const [biases, scales] = [(await readTensor(bias)).data, (await readTensor(scale)).data];
  return biases.some((value) => value !== 0) && biases.every(isHalf) && !scales.every(isHalf);
}

function isHalf(value: number): boolean {
  return valueOfHalf(halfOf(value)) === value;
}
