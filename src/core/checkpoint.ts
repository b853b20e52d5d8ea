/** The weights of a model's folder in Hugging Face layout: one file or several, safetensors or PyTorch. */

import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { z } from 'zod';
import { checkedValue, recordOf } from './checked.ts';
import { LincirError, quoted } from './errors.ts';
import { asLincirError, readingFile } from './files.ts';
import { readJsonFile } from './json.ts';
import { readSafetensorsHeader } from './safetensors.ts';
import type { StoredTensor } from './tensors.ts';
import { readTorchCheckpoint, stateDict } from './torch-zip.ts';

/** Where a model's weights lie. */
export interface Checkpoint {
  /** The weight files, absolute, links resolved. */
  readonly files: readonly string[];
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

type ReadTensors = (path: string) => Promise<ReadonlyMap<string, StoredTensor>>;

/** In the order of preference. An index says which tensor lies in which file beside it. */
const weightFiles: readonly { readonly name: string; readonly read: ReadTensors }[] = [
  { name: 'model.safetensors', read: readSafetensors },
  { name: 'model.safetensors.index.json', read: (path) => readShards(path, readSafetensors) },
  { name: 'pytorch_model.bin', read: readTorch },
  { name: 'pytorch_model.bin.index.json', read: (path) => readShards(path, readTorch) },
];

const indexSchema = z.object({
  weight_map: recordOf(z.string(), 'a weight_map from the names of tensors to files'),
});

/**
 * Finds the weights of the model in `folder`, without reading them. Throws 'not-found' when the folder, its weights
 * or a shard is missing, and 'bad-file'.
 */
export async function openCheckpoint(folder: string): Promise<Checkpoint> {
  const present = await readdir(folder).catch((error: unknown) => {
    throw asLincirError(error, folder, 'read');
  });
  // A link that leads nowhere, as an interrupted download can leave, is no file.
  const weights = weightFiles.find(({ name }) => existsSync(join(folder, name)));
  if (weights === undefined) {
    throw new LincirError('not-found', {
      subject: folder,
      expected: `one of ${weightFiles.map(({ name }) => name).join(', ')}`,
      found: present.length === 0 ? 'an empty folder' : quoted(present.toSorted().join(', '), 200),
      todo: 'give the folder of a model in Hugging Face layout',
    });
  }
  const tensors = await weights.read(join(folder, weights.name));
  return { files: [...new Set([...tensors.values()].map((tensor) => tensor.file))], tensors };
}

async function readSafetensors(path: string): Promise<ReadonlyMap<string, StoredTensor>> {
  return (await readingFile(path, readSafetensorsHeader)).tensors;
}

async function readTorch(path: string): Promise<ReadonlyMap<string, StoredTensor>> {
  return stateDict(await readingFile(path, readTorchCheckpoint), path);
}

/** Every tensor that the index promises, each out of the shard in which it promises it. */
async function readShards(
  indexPath: string,
  readShard: ReadTensors,
): Promise<ReadonlyMap<string, StoredTensor>> {
  const { weight_map } = checkedValue(indexSchema, await readJsonFile(indexPath), indexPath);
  const shards = new Map<string, ReadonlyMap<string, StoredTensor>>();
  const tensors = new Map<string, StoredTensor>();
  for (const [name, shardName] of Object.entries(weight_map)) {
    if (!/^[^/\\:\0]{1,255}$/.test(shardName) || shardName === '..' || shardName === '.') {
      throw new LincirError('bad-file', {
        subject: `${indexPath}: tensor ${quoted(name)}`,
        expected: 'a file in the same folder',
        found: quoted(shardName),
      });
    }
    const shard = shards.get(shardName) ?? (await readShard(join(dirname(indexPath), shardName)));
    shards.set(shardName, shard);
    const tensor = shard.get(name);
    if (tensor === undefined) {
      throw new LincirError('bad-file', {
        subject: `${indexPath}: tensor ${quoted(name)}`,
        expected: `it in ${quoted(shardName)}`,
        found: 'no tensor of that name there',
        todo: 'get the files again',
      });
    }
    tensors.set(name, tensor);
  }
  return tensors;
}
