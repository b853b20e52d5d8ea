/** OpenAI's own files of CLIP: a TorchScript archive, or its `state_dict`. The shapes of the tensors say what the towers are. */

import { LincirError, type ModelFiles, readWeights, type StoredTensor } from '../../../core/index.ts';
import type { Layout } from '../family.ts';
import { openClipConfig } from '../open-clip/index.ts';
import { openClipModel } from '../open-clip/model.ts';
import { shapesOf } from './shapes.ts';

type Tensors = ReadonlyMap<string, StoredTensor>;

export const openAi: Layout = {
  async find(files) {
    if (files.single === undefined) return undefined;
    const { name } = files.single;
    const tensors = new Map(
      [...(await readWeights(files.single))].map(([path, stored]) => [path.replace(/^module\./, ''), stored]),
    );
    const isNoted = notes.some((note) => tensors.has(note));
    if (!isNoted && (await files.read(openClipConfig))) return undefined;
    const model_cfg = shapesOf(tensors, name);
    if (!isNoted && !isRounded(tensors)) throw unknownActivation(files, model_cfg);
    const description = { json: { model_cfg: { ...model_cfg, quick_gelu: true } }, file: name };
    const model = openClipModel(description, async () => towersOf(tensors));
    const remarks = async () => (isNoted ? [] : [guessed]);
    return { family: 'OpenAI CLIP', ...model, remarks };
  },
};

/** Sizes that OpenAI's code notes beside the weights. OpenCLIP does not. */
const notes = ['input_resolution', 'context_length', 'vocab_size'];

const guessed = `taken as OpenAI's, with QuickGELU, because its weights are rounded as OpenAI's are. If OpenCLIP trained them in float16, put its ${openClipConfig} beside the file`;

/** Whether matrices are rounded to float16, but not the norms. */
function isRounded(tensors: Tensors): boolean {
  return tensors.get('visual.proj')?.type === 'float16' && tensors.get('ln_final.weight')?.type === 'float32';
}

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
