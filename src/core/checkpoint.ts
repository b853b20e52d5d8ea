/** The weights of a model: one file or several, safetensors or PyTorch. */

import { z } from 'zod';
import { checkedValue, recordOf } from './checked.ts';
import { LincirError, quoted } from './errors.ts';
import { readJson } from './json.ts';
import { readSafetensorsHeader } from './safetensors.ts';
import type { ModelFiles, RandomAccess } from './source.ts';
import type { StoredTensor } from './tensors.ts';
import { moduleTensors, readTorchCheckpoint, stateDict } from './torch-zip.ts';

/** Where a model's weights lie. */
export interface Checkpoint {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

type Tensors = ReadonlyMap<string, StoredTensor>;
type ReadTensors = (file: RandomAccess) => Promise<Tensors>;

const readSafetensors: ReadTensors = async (file) => (await readSafetensorsHeader(file)).tensors;
const readTorch: ReadTensors = async (file) => tensorsOf(await readTorchCheckpoint(file), file.name);

/** The files of weights in the layout of transformers, best first. An index says which of the files beside it has which tensor. */
export const weightFiles: readonly string[] = [
  'model.safetensors',
  'model.safetensors.index.json',
  'pytorch_model.bin',
  'pytorch_model.bin.index.json',
];

const indexSchema = z.object({
  weight_map: recordOf(z.string(), 'a weight_map from the names of tensors to files'),
});

/**
 * Finds the weights of a model, without reading them. Throws 'not-found' when there are none or a shard is missing,
 * 'bad-file', and what reading throws.
 * @param names of files that may have them, best first: of safetensors, PyTorch's, or an index of either
 */
export async function openCheckpoint(
  files: ModelFiles,
  names: readonly string[] = weightFiles,
): Promise<Checkpoint> {
  for (const name of names) {
    const file = await files.read(name);
    if (file === undefined) continue;
    const read = /\.safetensors(\.index\.json)?$/.test(name) ? readSafetensors : readTorch;
    return { tensors: await (name.endsWith('.index.json') ? readShards(file, files, read) : read(file)) };
  }
  throw await missingFile(files, `one of ${names.join(', ')}`);
}

/** The weights of one file of safetensors or PyTorch. Throws 'bad-file', and what reading throws. */
export async function readWeights(file: RandomAccess): Promise<Tensors> {
  return await (file.name.endsWith('.safetensors') ? readSafetensors : readTorch)(file);
}

/** A training run's own file has more in it than the weights: the optimizer's state, and the step. */
function tensorsOf(checkpoint: unknown, subject: string): Tensors {
  const isOfRun = checkpoint instanceof Map && checkpoint.get('state_dict') instanceof Map;
  return (
    moduleTensors(checkpoint, subject) ?? stateDict(checkpoint, subject, isOfRun ? 'state_dict' : undefined)
  );
}

/** The error that a model lacks files. Throws what listing its files throws. */
export async function missingFile(files: ModelFiles, expected: string): Promise<LincirError> {
  const present = (await files.list?.())?.toSorted().join(', ');
  return new LincirError('not-found', {
    subject: files.name,
    expected,
    found: present ? quoted(present, 200) : 'none',
    todo: 'give the folder of a model in Hugging Face layout',
  });
}

/** Every tensor that the index promises, from the shard that the index names. */
async function readShards(index: RandomAccess, files: ModelFiles, readShard: ReadTensors): Promise<Tensors> {
  const { weight_map } = checkedValue(indexSchema, await readJson(index), index.name);
  const refuse = (name: string, expected: string, found: string, todo?: string) => {
    const subject = `${index.name}: tensor ${quoted(name)}`;
    return new LincirError('bad-file', { subject, expected, found, todo });
  };
  const shards = new Map<string, Tensors>();
  const tensors = new Map<string, StoredTensor>();
  for (const [name, shardName] of Object.entries(weight_map)) {
    if (!/^[^/\\:\0]{1,255}$/.test(shardName) || shardName === '..' || shardName === '.') {
      throw refuse(name, 'a file in the same folder', quoted(shardName));
    }
    const shard = shards.get(shardName) ?? (await readShard(await shardFile(files, shardName)));
    shards.set(shardName, shard);
    const tensor = shard.get(name);
    if (tensor === undefined) {
      throw refuse(name, `it in ${quoted(shardName)}`, 'no tensor of that name there', 'get the files again');
    }
    tensors.set(name, tensor);
  }
  return tensors;
}

async function shardFile(files: ModelFiles, name: string): Promise<RandomAccess> {
  const file = await files.read(name);
  if (file === undefined) throw await missingFile(files, `the file ${quoted(name)}, which an index names`);
  return file;
}
