/** Uploads files to a repository of a model on the hub, all in one commit or none, and makes the repository if it is missing. */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { type DownloadOptions, LincirError, option, quoted } from '../core/index.ts';
import { readHubEnvironment, readToken } from './environment.ts';
import { isHubId } from './ids.ts';
import { type Listing, listFiles } from './listing.ts';
import { type Connection, defaultPatience } from './request.ts';
import type { createRepo, HubApiError } from './upload-client.ts';
import { Refusal, uploadFetch } from './upload-fetch.ts';

export interface UploadOptions extends Pick<DownloadOptions, 'signal' | 'environment' | 'patience'> {
  /** Title of the commit. */
  readonly title: string;
  /** Replace files that are there with other contents. */
  readonly force?: boolean;
  /** Whether everybody may see a repository that is made. */
  readonly isPublic?: boolean;
  /** Bytes of all files. Those that the hub has already count as sent. */
  readonly onProgress?: (sentBytes: number, totalBytes: number) => void;
}

export interface Uploaded {
  readonly address: string;
  /** The commit that has the files. */
  readonly commit: string;
  /** Whether the repository was made. */
  readonly isNew: boolean;
  /** Whether only its owner sees it, if the hub says so. */
  readonly isPrivate: boolean | undefined;
  /** Whether there was nothing to send, because the repository had all of it. */
  readonly isUnchanged: boolean;
}

/** A hub may take this long for an answer: it looks at a large file before it takes it. */
const silence = 120_000;

/**
 * Uploads files by their names in the repository `id`. Large ones go to the hub's storage first: what has arrived there is
 * not sent again. Then one commit names all. If anybody else has committed meanwhile, nothing is changed.
 * @throws LincirError 'bad-argument', 'not-found' without a token, 'network', 'io', and the signal's reason
 */
export async function uploadFiles(
  id: string,
  files: Readonly<Record<string, string>>,
  options: UploadOptions,
): Promise<Uploaded> {
  const { signal, environment, patience, title, force = false, isPublic = false, onProgress } = options;
  const connection = await connectionFor(id, { signal, environment, patience });
  const { endpoint } = connection;
  const sizes = await Promise.all(Object.values(files).map(async (path) => (await stat(path)).size));
  const totalBytes = sizes.reduce((sum, size) => sum + size, 0);
  let sentBytes = 0;
  const send = uploadFetch(connection, id, (bytes) => {
    sentBytes += bytes;
    onProgress?.(Math.min(sentBytes, totalBytes), totalBytes);
  });
  // Loaded here: all other commands do without.
  const client = await import('./upload-client.ts');
  const hub = { repo: { type: 'model', name: id }, hubUrl: endpoint, fetch: send } as const;
  try {
    let listing = await listed(connection, id);
    const isNew = listing === undefined;
    if (listing === undefined) {
      const visibility = isPublic ? 'public' : 'private';
      // Its types ask for a token, which our fetch has.
      const made = client.createRepo({ ...hub, visibility } as Parameters<typeof createRepo>[0]);
      const refused = await made.then(() => undefined, onlyConflict);
      listing = await listed(connection, id);
      if (listing === undefined) throw refused ?? new Refusal(404, 'no repository');
    }
    const { commit: parentCommit, isPrivate } = listing;
    const outcome = (commit: string, isUnchanged: boolean): Uploaded => {
      return { address: `${endpoint}/${id}`, commit, isNew, isPrivate, isUnchanged };
    };
    const differing = await differingFiles(listing, files);
    if (differing.length === 0) return outcome(parentCommit, true);
    const others = differing.filter(listing.has);
    if (others.length > 0 && !force) throw othersThere(id, others);
    const operations = differing.map((name) => {
      return { operation: 'addOrUpdate', path: name, content: pathToFileURL(files[name]!) } as const;
    });
    try {
      const made = await client.commit({
        ...{ ...hub, title, operations, parentCommit, useXet: false },
        ...(signal && { abortSignal: signal }),
      });
      const { oid } = made?.commit ?? {};
      if (typeof oid === 'string' && /^[0-9a-f]{40}$/.test(oid)) return outcome(oid, false);
      throw new Refusal(200, 'an answer without the commit');
    } catch (error) {
      const refused = onlyConflict(error);
      const now = await listFiles(connection, 'models', id, 'main');
      if ((await differingFiles(now, files)).length === 0) return outcome(now.commit, false);
      throw refused;
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw asUploadError(error, client.HubApiError, id, endpoint);
  }
}

/** A conflict is perhaps with a request of our own whose answer was lost. Throws any other error. */
function onlyConflict(error: unknown): Refusal {
  if (error instanceof Refusal && [409, 412].includes(error.status)) return error;
  throw error;
}

async function connectionFor(
  id: string,
  { signal, environment, patience }: Pick<UploadOptions, 'signal' | 'environment' | 'patience'>,
): Promise<Connection> {
  if (!isHubId(id)) {
    const expected = 'OWNER/NAME on the hub';
    throw new LincirError('bad-argument', {
      subject: option<{ readonly toHub: string }>('toHub', id),
      expected,
      found: quoted(id),
    });
  }
  const read = readHubEnvironment(environment);
  const { endpoint } = read;
  const token = await readToken(read);
  if (read.offline || token === undefined) {
    throw new LincirError('not-found', {
      subject: `upload to ${id}`,
      expected: read.offline ? 'to go online' : `a token for ${endpoint}, in HF_TOKEN or ${read.tokenFile}`,
      found: read.offline ? 'that HF_HUB_OFFLINE forbids it' : 'none',
      todo: read.offline
        ? 'unset HF_HUB_OFFLINE'
        : `make one that may write, at ${endpoint}/settings/tokens, and set HF_TOKEN`,
    });
  }
  return { ...defaultPatience, silence, ...patience, endpoint, token, signal };
}

/** What is there; undefined if the repository is missing, or if this token may not know of it. */
async function listed(connection: Connection, id: string): Promise<Listing | undefined> {
  return await listFiles(connection, 'models', id, 'main').catch((error: unknown) => {
    if (error instanceof LincirError && error.code === 'not-found') return undefined;
    throw error;
  });
}

/** The names of files that the commit has not, or has with other contents. */
async function differingFiles(listing: Listing, files: Readonly<Record<string, string>>): Promise<string[]> {
  const differing: string[] = [];
  for (const [name, path] of Object.entries(files)) {
    if (!listing.has(name) || !(await hasEtag(path, listing.file(name).etag))) differing.push(name);
  }
  return differing;
}

/** Whether a file's content has this hash: 64 digits are SHA-256, 40 git's. */
async function hasEtag(path: string, etag: string): Promise<boolean> {
  const isGit = etag.length === 40;
  const hash = createHash(isGit ? 'sha1' : 'sha256');
  if (isGit) hash.update(`blob ${(await stat(path)).size}\0`);
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest('hex') === etag;
}

function othersThere(id: string, names: readonly string[]): LincirError {
  return new LincirError('bad-argument', {
    subject: id,
    expected: 'none of the files that are to be uploaded, or the same ones',
    found: `others: ${names.join(', ')}`,
    todo: `choose another repository, or replace them with ${option<UploadOptions>('force')}`,
  });
}

/** What statuses mean for an upload, and what helps. */
function meaningOf(status: number, id: string, endpoint: string): { expected: string; todo: string } {
  const [owner] = id.split('/');
  const token = `make a token that may write to ${owner}, at ${endpoint}/settings/tokens, and set HF_TOKEN`;
  if (status === 401) return { expected: 'a token that the hub knows', todo: token };
  if (status === 402 || status === 403)
    return {
      expected: `permission to write there`,
      todo: `${token}; if a quota is used up, free some of it`,
    };
  if (status === 404)
    return { expected: 'a repository that this token may write to', todo: `check the name, or ${token}` };
  if (status === 409 || status === 412)
    return {
      expected: 'a repository that nobody else changes meanwhile',
      todo: 'see what has changed there, then run this again: nothing was changed by this upload',
    };
  if (status === 400)
    return { expected: 'files that the hub takes', todo: 'see what it says, and change that' };
  if (status === 413)
    return { expected: 'files of a size that it takes', todo: 'use a repository with more room' };
  return {
    expected: `${endpoint} to take files as the Hugging Face hub does`,
    todo: 'check HF_ENDPOINT and any proxy',
  };
}

function asUploadError(error: unknown, ApiError: typeof HubApiError, id: string, endpoint: string): unknown {
  if (error instanceof LincirError) return error;
  const status = error instanceof Refusal ? error.status : error instanceof ApiError ? error.statusCode : 0;
  const found = error instanceof Error ? error.message : String(error);
  return new LincirError('network', {
    subject: `upload to ${id}`,
    found: quoted(found, 400),
    ...meaningOf(status, id, endpoint),
    cause: error,
  });
}
