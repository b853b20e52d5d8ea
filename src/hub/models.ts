/** Finds models by name, downloads them if the cache lacks them, and lists the cache. */

import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type DownloadOptions, LincirError } from '../core/index.ts';
import { makeFolder, readJsonFile, statOf } from '../files/index.ts';
import {
  cachedCommit,
  cachedCommits,
  cachedIds,
  cachedRefs,
  namesIn,
  type Repository,
  repositoryIn,
} from './cache.ts';
import { downloadFiles, type Wanted } from './download-files.ts';
import { type HubEnvironment, readHubEnvironment } from './environment.ts';
import { filesOf, smallFiles } from './layouts.ts';
import type { Listing } from './listing.ts';
import { findModel } from './names.ts';
import { besidesTokenizer, isModel, missingParts } from './snapshot.ts';

export interface ResolveOptions extends DownloadOptions {
  /** A branch, tag or commit, like `@REVISION` after the name. */
  readonly revision?: string;
  /** Skip the weights and whatever else a tokenizer does not need. */
  readonly only?: 'tokenizer';
}

/** A model on this machine. What is not from the hub has no `id` and no commit `revision`. */
interface ResolvedModel {
  /** Or its only file. */
  readonly folder: string;
  readonly id: string | undefined;
  readonly revision: string | undefined;
}

/** A commit of a model in the cache. */
export interface CachedModel {
  readonly id: string;
  /** The commit. */
  readonly revision: string;
  /** The branches and tags that meant it when they were last downloaded. */
  readonly refs: readonly string[];
  readonly folder: string;
  readonly bytes: number;
  readonly lastModified: Date;
  /** Whether it can be loaded without a download. */
  readonly complete: boolean;
}

/**
 * The folder of a model: a preset, a folder, a file, or `OWNER/NAME[@REVISION]` on the hub (`findModel` has the exact rule).
 * If the cache has the whole model, it is used without any request, even if its branch has moved on at the hub:
 * `pullModel` asks. Otherwise it is downloaded into Hugging Face's own cache.
 * Throws `not-found`, `bad-argument`, `network`, `io`, and the signal's reason.
 */
export async function resolveModel(model: string, options: ResolveOptions = {}): Promise<ResolvedModel> {
  const place = await findModel(model, options.revision);
  if (place.folder !== undefined) return { folder: place.folder, id: undefined, revision: undefined };

  const { id, revision } = place;
  const environment = readHubEnvironment(options.environment);
  const repository = repositoryIn(environment.cacheFolder, id);
  const commit = await cachedCommit(repository, revision);
  const lacking = commit === undefined ? ['all of it'] : await missingParts(repository, commit);
  const missing =
    options.only === undefined ? lacking : lacking.filter((part) => !besidesTokenizer.has(part));
  if (commit !== undefined && missing.length === 0) {
    return { folder: repository.snapshot(commit), id, revision: commit };
  }
  return download(id, revision, environment, options, missing);
}

/**
 * Asks the hub for the current commit of a model's revision, and downloads what the cache lacks, with the weights in the
 * best available format. Throws as `resolveModel` does, and `bad-argument` for a folder.
 */
export async function pullModel(model: string, options: ResolveOptions = {}): Promise<ResolvedModel> {
  const place = await findModel(model, options.revision);
  if (place.folder !== undefined) {
    throw new LincirError('bad-argument', {
      subject: model,
      expected: 'a preset or OWNER/NAME on the hub',
      found: 'a file or a folder on this machine',
    });
  }
  const environment = readHubEnvironment(options.environment);
  return download(place.id, place.revision, environment, options, ['what the hub has now']);
}

/** The models in the cache that lincir has, whoever put them there, by id. Needs no network. */
export async function listCachedModels(
  options: Pick<ResolveOptions, 'environment'> = {},
): Promise<CachedModel[]> {
  const { cacheFolder } = readHubEnvironment(options.environment);
  const models: CachedModel[] = [];
  for (const id of await cachedIds(cacheFolder)) {
    const repository = repositoryIn(cacheFolder, id);
    const refs = await cachedRefs(repository);
    for (const revision of await cachedCommits(repository)) {
      const folder = repository.snapshot(revision);
      if (!(await isModel(folder))) continue;
      const paths = (await namesIn(folder, true)).map((name) => join(folder, name));
      const found = await Promise.all(paths.map(statOf));
      const files = found.filter((file) => file !== undefined).filter((file) => file.isFile());
      models.push({
        id,
        revision,
        refs: [...refs].filter(([, commit]) => commit === revision).map(([ref]) => ref),
        folder,
        bytes: files.reduce((sum, { size }) => sum + size, 0),
        lastModified: new Date(Math.max(...files.map(({ mtimeMs }) => mtimeMs))),
        complete: await missingParts(repository, revision).then(
          (missing) => missing.length === 0,
          () => false,
        ),
      });
    }
  }
  return models;
}

async function download(
  id: string,
  revision: string,
  environment: HubEnvironment,
  options: ResolveOptions,
  missing: readonly string[],
): Promise<ResolvedModel> {
  const choose: Wanted['choose'] = (listing, repository, fetch) =>
    options.only === undefined
      ? filesOf(id, listing, async (file) => {
          await fetch(file);
          return await readJsonFile(join(repository.snapshot(listing.commit), file.name));
        })
      : smallFiles.filter(listing.has).map(listing.file);
  const wanted: Wanted = { id, revision, missing, choose, onComplete: noteAbsences };
  const { commit } = await downloadFiles(wanted, environment, options);
  return { folder: repositoryIn(environment.cacheFolder, id).snapshot(commit), id, revision: commit };
}

/** Notes, as Python's tools do, the files that the commit does not have, so that nobody asks for them again. */
async function noteAbsences(listing: Listing, repository: Repository): Promise<void> {
  for (const name of smallFiles.filter((file) => !listing.has(file))) {
    const path = repository.absence(listing.commit, name);
    await makeFolder(dirname(path));
    await writeFile(path, '');
  }
}
