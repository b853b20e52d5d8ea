/** The sizes of CLIP's towers out of the shapes of its tensors (the facts of OpenAI's `build_model`). */

import { LincirError, quoted, type StoredTensor } from '../../../core/index.ts';

/** Heads are 64 wide, but in the vision towers of LAION's largest models. */
const headWidths: ReadonlyMap<number, number> = new Map([
  [1280, 80],
  [1408, 88],
  [1664, 104],
  [1792, 112],
]);
const headWidth = 64;

/**
 * @param file for messages
 * @returns OpenCLIP's `model_cfg`, without the activation, which no shape shows
 * @throws LincirError 'bad-config' for a ResNet, 'bad-file' for what is no CLIP
 */
export function shapesOf(tensors: ReadonlyMap<string, StoredTensor>, file: string) {
  if (tensors.has('visual.layer1.0.conv1.weight')) {
    throw new LincirError('bad-config', {
      subject: file,
      expected: 'a vision transformer, such as ViT-B/32 or ViT-L/14',
      found: "a ResNet (OpenAI's RN50, RN101, RN50x4, RN50x16, RN50x64), which lincir does not have",
      todo: 'choose another model',
    });
  }
  const sizesOf = (name: string, axes: number): number[] => {
    const stored = tensors.get(name);
    if (stored?.shape.length === axes) return [...stored.shape];
    throw new LincirError('bad-file', {
      subject: file,
      expected: `the weights of a CLIP, with a tensor ${name} of ${axes} axes`,
      found: stored ? `${stored.shape.length} axes` : `${tensors.size} tensors, none of that name`,
      todo: `beginning with ${quoted([...tensors.keys()].slice(0, 3).join(', '))}, these are of another model: choose its folder`,
    });
  };
  const layersOf = (tower: string): number =>
    [...tensors.keys()].filter((name) => name.startsWith(tower) && name.endsWith('.ln_1.weight')).length;
  const text = [...tensors.keys()].some((name) => name.startsWith('text.')) ? 'text.' : '';
  const [width = 0, , , patch = 0] = sizesOf('visual.conv1.weight', 4);
  const [places = 0] = sizesOf('visual.positional_embedding', 2);
  const [textWidth = 0, projection = 0] = sizesOf(`${text}text_projection`, 2);
  const [positions = 0] = sizesOf(`${text}positional_embedding`, 2);
  const [vocabulary = 0] = sizesOf(`${text}token_embedding.weight`, 2);
  const head = headWidths.get(width);
  return {
    embed_dim: projection,
    vision_cfg: {
      image_size: patch * Math.round(Math.sqrt(places - 1)),
      patch_size: patch,
      width,
      layers: layersOf('visual.transformer.resblocks.'),
      ...(head && { head_width: head }),
    },
    text_cfg: {
      context_length: positions,
      vocab_size: vocabulary,
      width: textWidth,
      heads: Math.floor(textWidth / headWidth),
      layers: layersOf(`${text}transformer.resblocks.`),
    },
  };
}
