/** Exports a model, and a phi for it, as ONNX files in a folder that ONNX Runtime's users and transformers.js know. */

import { dirname, join } from 'node:path';
import { type Clip, loadClip, openTowers, tokenizerFilesOf } from '../../clip/index.ts';
import { formatBytes, type LicensedDownloadOptions, LincirError, option } from '../../core/index.ts';
import {
  fileSource,
  freeSpace,
  makeFolder,
  writeFileAtomically,
  writeFolderAtomically,
} from '../../files/index.ts';
import { modelOfPhi, openModel, phiFileOf, phiPresets } from '../../hub/index.ts';
import { type ModelFile, modelFiles, type WeightPrecision } from '../../onnx/index.ts';
import { expectPhiFits, readPhi, type StoredPhi } from '../../phi/index.ts';
import { expectFree, removeEarlier } from './earlier-export.ts';
import {
  configOf,
  configText,
  type FilesBeside,
  preprocessingFiles,
  tokenizerFiles,
} from './files-beside.ts';
import { exportedGraphs, type ModelName } from './graphs.ts';
import { readme } from './readme.ts';

export interface ExportOnnxOptions extends LicensedDownloadOptions {
  /** A folder, a file, a preset or a hub id. Default: the model that phi was trained for. */
  readonly model?: string;
  /** Writes this phi, and the text tower that takes its pseudo tokens, as well: a file, a run's folder, or a name on the hub. */
  readonly phi?: string;
  /** A new or empty folder. */
  readonly out: string;
  /**
   * Writes both towers in one file as well, `onnx/model.onnx`, as pipelines of zero-shot classification want them. It takes as
   * much space as both.
   */
  readonly zeroShot?: boolean;
  /** What weights are stored and products computed in. Inputs and outputs are float32. Default: 'float32'. */
  readonly precision?: WeightPrecision;
  /** Replace the files of an earlier export in the folder. */
  readonly force?: boolean;
  /** Called with the bytes that have been written, and all there will be. */
  readonly onWrite?: (done: number, total: number) => void;
}

export interface ExportedOnnx {
  readonly folder: string;
  /** Paths in the folder. */
  readonly files: readonly string[];
  readonly bytes: number;
}

/**
 * Writes a model as ONNX files: `onnx/vision_model.onnx` and `onnx/text_model.onnx`; with a phi also
 * `onnx/text_model_with_pseudo_tokens.onnx` and `onnx/phi.onnx`. Beside them, there are the files that others need with them,
 * and a `README.md` that says how to use all of it. All files appear at once, or none does. It takes little memory.
 * @throws LincirError 'bad-argument' for a folder with files, and a phi of another model; 'io'; and what loading throws
 */
export async function exportOnnx(options: ExportOnnxOptions): Promise<ExportedOnnx> {
  const { out, model, phi: phiName, precision = 'float32', zeroShot = false, ...rest } = options;
  const { force = false, onWrite, ...download } = rest;
  const { signal } = download;
  await expectFree(out, force);
  const given = model === undefined ? undefined : await openModel(model, download);
  const phi = phiName === undefined ? undefined : await openedPhi(phiName, { ...download, model: given?.id });
  const { files, id } = given ?? (await openModel(modelNamed(phi?.model), download));
  const clip = await loadClip(files, { signal, onDownload: download.onProgress });
  if (phi) {
    const { config, fingerprint, folder, textConfig: _ } = clip; // throws without a text tower
    expectPhiFits(phi, { config, fingerprint, id, folder });
  }

  const config = await configOf(files, clip.config);
  const areSiglip = `${config.model_type}`.startsWith('siglip');
  const about = { fingerprint: clip.fingerprint, ...(id !== undefined && { model: id }) };
  const models = new Map<ModelName, readonly ModelFile[]>();
  for (const [name, outputs] of exportedGraphs(clip, phi, { areSiglip, zeroShot })) {
    const file = `${name}${precision === 'float16' ? '_fp16' : ''}.onnx`;
    const takesPseudoTokens = name === 'text_model_with_pseudo_tokens';
    const metadata = {
      ...about,
      ...(takesPseudoTokens && { placeholder_id: `${clip.tokenizer.placeholder.id}` }),
    };
    models.set(name, modelFiles(file, outputs, { precision, metadata }));
  }
  const filesOfWeights = [...models.values()].map(([model, ...data]) => [model!.name, data.length] as const);
  const beside: FilesBeside = new Map<string, string | Uint8Array>([
    ['config.json', configText(config, precision, filesOfWeights)],
    ...(clip.config.vision ? await preprocessingFiles(files, clip.preprocessing) : []),
    ...(clip.config.text ? await tokenizerFilesBeside(files, clip, download) : []),
    ['README.md', readme({ clip, id, models, phi: phi?.info, precision, modelType: `${config.model_type}` })],
  ]);
  return await written(out, [...models.values()].flat(), beside, { signal, onWrite });
}

function modelNamed(name: string | undefined): string {
  if (name !== undefined) return name;
  throw new LincirError('bad-argument', {
    subject: option<ExportOnnxOptions>('model'),
    expected: 'the model to export, such as base',
    found: 'none, and no phi that names one',
  });
}

async function openedPhi(name: string, options: LicensedDownloadOptions & { readonly model?: string }) {
  const stored: StoredPhi = await readPhi(await fileSource(await phiFileOf(name, options)));
  const preset = phiPresets.find((known) => known.name === name);
  return { ...stored, model: preset ? modelOfPhi(preset) : stored.info.model };
}

async function tokenizerFilesBeside(
  files: Parameters<typeof openTowers>[0],
  { tokenizer, textConfig }: Clip,
  options: LicensedDownloadOptions,
): Promise<FilesBeside> {
  const from = await tokenizerFilesOf(files, await openTowers(files), options);
  return await tokenizerFiles(from, tokenizer, textConfig);
}

async function written(
  out: string,
  models: readonly ModelFile[],
  beside: FilesBeside,
  { signal, onWrite }: Pick<ExportOnnxOptions, 'signal' | 'onWrite'>,
): Promise<ExportedOnnx> {
  const total = models.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const free = await freeSpace(dirname(out));
  if (free !== undefined && free < total) {
    throw new LincirError('io', {
      subject: out,
      expected: `${formatBytes(total)} free for it`,
      found: `${formatBytes(free)}: a full disk, or nearly so`,
      todo: 'free some space or choose another place',
    });
  }
  let done = 0;
  await writeFolderAtomically(out, async (folder) => {
    await makeFolder(join(folder, 'onnx'));
    for (const { name, bytes } of models) {
      await writeFileAtomically(join(folder, 'onnx', name), async (file) => {
        for await (const piece of bytes()) {
          signal?.throwIfAborted();
          await file.writeFile(piece);
          done += piece.length;
          onWrite?.(done, total);
        }
      });
    }
    for (const [name, content] of beside) {
      await writeFileAtomically(join(folder, name), (file) => file.writeFile(content));
    }
    signal?.throwIfAborted();
    await removeEarlier(out);
  });
  const files = [...models.map(({ name }) => `onnx/${name}`), ...beside.keys()];
  return { folder: out, files, bytes: total };
}
