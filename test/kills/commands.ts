/** Commands under kills: what they are told, what must never be lost again once it is there, and what they leave in the end. */

import { hash } from 'node:crypto';
import { cp, readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { readSafetensorsHeader, readTensor } from '../../src/core/index.ts';
import { readingFile } from '../../src/files/index.ts';
import { backendOf } from '../../src/store/index.ts';
import { model } from './world.ts';

/** What is there, by name: the same name with another value is something that was lost. */
export type Findings = ReadonlyMap<string, string>;

export interface KilledCommand {
  readonly name: string;
  /** Makes what the command is to find in its folder. */
  readonly prepare?: (folder: string) => Promise<void>;
  /** Arguments that begin the work in a folder, or go on with it; undefined when all is done. */
  readonly next: (folder: string) => Promise<readonly string[] | undefined>;
  /** What must be there again after any end; undefined when all is done, and what it was made from is gone. */
  readonly kept: (folder: string) => Promise<Findings | undefined>;
  /** What an undisturbed run leaves. */
  readonly result: (folder: string) => Promise<Findings>;
}

const tiny = ['--model', model, '--threads', '1'];

export const killedCommands: readonly KilledCommand[] = [
  embedding('embed images', 'out.npy', ['--images', '../photos']),
  embedding('embed texts', 'out.safetensors', ['--texts', '../texts.txt', '--normalize']),
  {
    name: 'index',
    next: async () => ['index', '../photos', '--index', 'out.lance', ...tiny, '--metadata', '../ratings.csv'],
    kept: (folder) => picturesIn(join(folder, 'out.lance')),
    result: async (folder) => without(await picturesIn(join(folder, 'out.lance')), 'id'),
  },
  {
    name: 'reindex',
    prepare: (folder) => cp(join(folder, '../ready.lance'), join(folder, 'out.lance'), { recursive: true }),
    next: async () => ['reindex', '--index', 'out.lance', '--precision', 'float16', ...tiny],
    // The old index serves until the new one takes its place, with the same ids and metadata.
    kept: async (folder) => without(await picturesIn(join(folder, 'out.lance')), 'vector'),
    result: (folder) => picturesIn(join(folder, 'out.lance')),
  },
  {
    name: 'eval',
    next: async (folder) => {
      if ((await namesIn(join(folder, 'out'))).includes('results.json')) return undefined;
      const methods = ['--methods', 'image,text,sum'];
      return [
        'eval',
        'custom',
        '--data',
        '../benchmark',
        ...tiny,
        ...methods,
        '--cache',
        'cache',
        '--out',
        'out',
      ];
    },
    kept: (folder) => filesIn(join(folder, 'cache')),
    result: evaluationIn,
  },
  {
    name: 'mini',
    next: async () => ['mini', 'out', '--images', '90', '--queries', '9'],
    kept: (folder) => filesIn(join(folder, 'out')),
    result: (folder) => filesIn(join(folder, 'out')),
  },
  {
    name: 'export',
    next: async (folder) => {
      if ((await namesIn(folder)).includes('phi.pt')) return undefined;
      return ['export', 'mini', '--out', 'phi.pt'];
    },
    kept: filesIn,
    result: filesIn,
  },
  {
    name: 'export as ONNX',
    next: async (folder) => {
      if ((await namesIn(folder)).includes('out')) return undefined;
      return ['export', 'mini', '--onnx', '--out', 'out'];
    },
    kept: (folder) => filesIn(join(folder, 'out')),
    result: filesIn,
  },
  {
    name: 'train',
    next: async (folder) => {
      if ((await namesIn(join(folder, 'out'))).includes('config.json')) return ['train', '--resume', 'out'];
      const settings = ['--steps', '24', '--batch', '8', '--save-every', '2', '--seed', '9', '--ema'];
      return ['train', ...tiny, '--captions', '../captions.txt', '--out', 'out', ...settings];
    },
    kept: async () => new Map(),
    result: runIn,
  },
];

function embedding(name: string, out: string, given: readonly string[]): KilledCommand {
  const isDone = async (folder: string) => {
    const names = await namesIn(folder);
    return names.includes(out) && !names.includes(`${out}.partial`);
  };
  return {
    name,
    next: async (folder) => ((await isDone(folder)) ? undefined : ['embed', ...tiny, ...given, '--out', out]),
    kept: async (folder) => {
      if (await isDone(folder)) return undefined;
      const rows = await readFile(join(folder, `${out}.partial/rows.f32`)).catch(() => Buffer.alloc(0));
      const rowBytes = 4 * 24;
      const whole = Math.floor(rows.length / rowBytes);
      const all = Array.from({ length: whole }, (_, at) => rows.subarray(at * rowBytes, (at + 1) * rowBytes));
      return new Map(all.map((row, at) => [`row ${at}`, row.toString('hex')]));
    },
    result: filesIn,
  };
}

/** Hashes of all files in and under a folder, by path. Of what was begun and not finished, none. */
async function filesIn(folder: string): Promise<Findings> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter(
    (entry) => entry.isFile() && !/\.tmp$|\.lock/.test(join(entry.parentPath, entry.name)),
  );
  const found = files.map(async ({ parentPath, name }) => {
    const path = join(parentPath, name);
    return [path.slice(folder.length + 1), hash('sha256', await readFile(path))] as const;
  });
  return new Map(await Promise.all(found));
}

async function namesIn(folder: string): Promise<string[]> {
  return await readdir(folder).catch(() => []);
}

/** An index's images as JSON, by name. An image that is there twice is an error. */
async function picturesIn(path: string): Promise<Findings> {
  const { backend, location } = await backendOf(path);
  const store = await backend.open(location, 'read').catch((error: { code?: string }) => {
    if (error.code === 'not-found') return undefined;
    throw error;
  });
  if (store === undefined) return new Map();
  try {
    const ids = (await Array.fromAsync(store.images())).flat().map(({ id }) => id);
    const pictures = await store.find('id', ids);
    const found = new Map<string, string>();
    for (const { vector, metadata, path, id, hash, size } of pictures) {
      const name = basename(path);
      if (found.has(name)) throw new Error(`${path} is there twice`);
      const rounded = Array.from(vector, (value) => value.toFixed(3));
      found.set(name, JSON.stringify({ id, hash, size, vector: rounded }));
      // Metadata come last, when all images are there.
      if (metadata.rating != null) found.set(`${name}: rating`, `${metadata.rating}`);
    }
    return found;
  } finally {
    await store.close();
  }
}

/** Without what a new index, or one of another precision, has otherwise. */
function without(findings: Findings, field: 'id' | 'vector'): Findings {
  const strip = (text: string) =>
    text.startsWith('{') ? JSON.stringify({ ...JSON.parse(text), [field]: null }) : text;
  return new Map([...findings].map(([name, text]) => [name, strip(text)]));
}

/** Results without times and places, rankings, and whether there is a report. */
async function evaluationIn(folder: string): Promise<Findings> {
  const out = join(folder, 'out');
  const files = new Map(await filesIn(out));
  const {
    seconds,
    date,
    folder: _,
    ...results
  } = JSON.parse(await readFile(join(out, 'results.json'), 'utf8'));
  files.set('results.json', JSON.stringify(results));
  files.set('report.html', `${files.has('report.html')}`);
  return files;
}

/** phi and its average to the bit, and the steps that were written down. */
async function runIn(folder: string): Promise<Findings> {
  const out = join(folder, 'out');
  const found = new Map<string, string>();
  for (const name of ['phi-latest.safetensors', 'phi-ema.safetensors', 'state.safetensors']) {
    const { tensors } = await readingFile(join(out, name), readSafetensorsHeader);
    const values = await Promise.all([...tensors.values()].map(readTensor));
    found.set(name, hash('sha256', Buffer.concat(values.map(({ data }) => new Uint8Array(data.buffer)))));
  }
  const lines = (await readFile(join(out, 'metrics.jsonl'), 'utf8')).trimEnd().split('\n');
  found.set('steps', lines.map((line) => JSON.parse(line).step).join(' '));
  const names = (await namesIn(out)).map((name) => name.replace(/\d+(?=\.lincir$)/, 'SECONDS'));
  found.set('files', names.sort().join(' '));
  return found;
}
