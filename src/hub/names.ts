/** What a user may call a model: a preset, a folder, or an id on the hub with or without a revision. */

import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { LincirError, quoted } from '../core/index.ts';

/** A short name for a model that the method is published with, or a small relative of one. */
export interface Preset {
  readonly name: string;
  /** The model on the hub. */
  readonly id: string;
  /** Another id for the same architecture and weights. */
  readonly alternative?: string;
  readonly description: string;
  /** Of its embeddings. */
  readonly dimensions: number;
  /** Millions of parameters, both towers together; four bytes each in float32. */
  readonly millions: number;
}

/** Where a model is to be found: a folder on this machine, or a revision on the hub. */
export type ModelPlace =
  | { readonly folder: string }
  | { readonly id: string; readonly revision: string; readonly folder?: undefined };

const presets: readonly Preset[] = [
  {
    name: 'base',
    id: 'openai/clip-vit-base-patch32',
    description: 'CLIP ViT-B/32 by OpenAI',
    dimensions: 512,
    millions: 151,
  },
  {
    name: 'base-16',
    id: 'openai/clip-vit-base-patch16',
    description: 'CLIP ViT-B/16 by OpenAI',
    dimensions: 512,
    millions: 150,
  },
  {
    name: 'large',
    id: 'openai/clip-vit-large-patch14',
    description: 'CLIP ViT-L/14 by OpenAI',
    dimensions: 768,
    millions: 428,
  },
  {
    name: 'huge',
    id: 'laion/CLIP-ViT-H-14-laion2B-s32B-b79K',
    description: 'CLIP ViT-H/14 by LAION',
    dimensions: 1024,
    millions: 986,
  },
  {
    name: 'giga',
    id: 'Geonmo/CLIP-Giga-config-fixed',
    alternative: 'laion/CLIP-ViT-bigG-14-laion2B-39B-b160k',
    description: 'CLIP ViT-bigG/14 by LAION',
    dimensions: 1280,
    millions: 2540,
  },
];

/** The miniature world's model, which comes with this package. */
const miniature = { name: 'mini', folder: resolve(import.meta.dirname, '../../models/mini') } as const;

/** All presets of the hub, smallest first. */
export function listPresets(): readonly Preset[] {
  return presets;
}

/**
 * Finds out what `model` names, by the first rule that fits: a preset (`large`; `mini` comes with this package); a folder
 * that exists (so `./large` for a folder of that name); `owner/name` on the hub. The first and the last may end in `@REVISION`, a branch, tag or commit,
 * which `revision` gives as well; without either it is `main`.
 * Throws `bad-argument` for two revisions or one that cannot be, `not-found` when no rule fits.
 */
export async function findModel(model: string, revision?: string): Promise<ModelPlace> {
  const [, name = '', suffix] = /^([^@]*)(?:@(.*))?$/s.exec(model) ?? [];
  if (model === miniature.name && revision === undefined) return { folder: miniature.folder };
  const id = presets.find((preset) => preset.name === name)?.id;
  if (id === undefined && (await isFolder(model))) {
    if (revision === undefined) return { folder: resolve(model) };
    throw new LincirError('bad-argument', {
      subject: 'revision',
      expected: 'none for a folder on this machine',
      found: quoted(revision),
    });
  }
  if (id === undefined && !isHubId(name)) {
    throw new LincirError('not-found', {
      subject: 'model',
      expected: `one of ${presets.map((preset) => preset.name).join(', ')}, ${miniature.name}, a folder, or OWNER/NAME on the hub`,
      found: quoted(model),
    });
  }
  return { id: id ?? name, revision: chosenRevision(suffix, revision) };
}

/** The revision that two ways of saying it agree on. Throws `bad-argument` as `findModel` does. */
export function chosenRevision(suffix: string | undefined, option: string | undefined): string {
  if (suffix !== undefined && option !== undefined && suffix !== option) {
    throw new LincirError('bad-argument', {
      subject: 'revision',
      expected: 'one revision',
      found: `${quoted(suffix)} and ${quoted(option)}`,
    });
  }
  const revision = suffix ?? option ?? 'main';
  // It becomes a path under refs/, on Windows as well.
  const isSafe = /^\w[\w.+-]*(\/\w[\w.+-]*)*$/.test(revision) && !/\.(tmp|lock)?(\/|$)|\.\./.test(revision);
  if (isSafe && revision.length <= 200) return revision;
  throw new LincirError('bad-argument', {
    subject: 'revision',
    expected: 'the name of a branch or tag, or a commit hash',
    found: quoted(revision),
  });
}

/** Whether this can be OWNER/NAME on the hub. */
export function isHubId(name: string): boolean {
  return /^(?=.{3,96}$)\w([\w.-]*\w)?\/\w([\w.-]*\w)?$/.test(name) && !/--|\.\.|\.git$/.test(name);
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}
