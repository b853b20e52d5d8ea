/** OpenAI's own files of CLIP: a TorchScript archive, or its `state_dict`. The shapes of the tensors say what the towers are. */

import { LincirError, type ModelFiles, readWeights, type StoredTensor } from '../../../core/index.ts';
import type { Layout } from '../family.ts';
import { openClipConfig } from '../open-clip/index.ts';
import { openClipModel } from '../open-clip/model.ts';
import { shapesOf } from './shapes.ts';

/** The repository whose tokenizer is that of OpenAI's models: their files have none. */
export const clipTokenizer = 'openai/clip-vit-base-patch32';

type Tensors = ReadonlyMap<string, StoredTensor>;

export const openAi: Layout = {
  async find(files) {
    if (files.single === undefined) return undefined;
    const { name } = files.single;
    const tensors = new Map(
      [...(await readWeights(files.single))].map(([path, stored]) => [path.replace(/^module\./, ''), stored]),
    );
    const isOwn = isOpenAis(tensors);
    if (!isOwn && (await files.read(openClipConfig))) return undefined;
    const model_cfg = shapesOf(tensors, name);
    if (!isOwn) throw unknownActivation(files, model_cfg);
    const description = { json: { model_cfg: { ...model_cfg, quick_gelu: true } }, file: name };
    const model = openClipModel(description, async () => towersOf(tensors));
    return { family: 'OpenAI CLIP', tokenizer: clipTokenizer, ...model };
  },
};

/**
 * Whether these are weights that OpenAI's code wrote: it notes three sizes beside them, and rounds matrices to float16, but
 * not the norms. OpenCLIP does neither.
 */
function isOpenAis(tensors: Tensors): boolean {
  const isRounded =
    tensors.get('visual.proj')?.type === 'float16' && tensors.get('ln_final.weight')?.type === 'float32';
  return isRounded || notes.some((name) => tensors.has(name));
}

const notes = ['input_resolution', 'context_length', 'vocab_size'];

function towersOf(tensors: Tensors): Tensors {
  return new Map([...tensors].filter(([name]) => !notes.includes(name)));
}

/** Both activations give embeddings, and only one gives those of the model. So nothing is guessed here. */
function unknownActivation(files: ModelFiles, model_cfg: object): LincirError {
  return new LincirError('bad-config', {
    subject: files.name,
    expected: `${openClipConfig} beside it, because these weights do not say which activation they were trained with`,
    found: 'no such file',
    todo: `write it as ${JSON.stringify({ model_cfg: { ...model_cfg, quick_gelu: true } })} for a model of OpenAI's, DFN's or MetaCLIP's, and with "quick_gelu":false for LAION's and DataComp's`,
  });
}
