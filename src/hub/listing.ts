/** Asks the hub about a revision: its commit, and the size and hash of every file. */

import { z } from 'zod';
import { checkedValue, LincirError, listOf, parseJsonText } from '../core/index.ts';
import type { RemoteFile } from './download.ts';
import { type Connection, get, persistently } from './request.ts';

/** The kind of a repository, as in the hub's addresses. */
type RepositoryKind = 'models' | 'datasets';

interface ListingFacts {
  readonly isGated: boolean;
  /** As the model's card states it, such as `mit`. */
  readonly licence: string | undefined;
  /** How many values the safetensors files have of each type, such as `F16`. */
  readonly values: Readonly<Record<string, number>> | undefined;
}

/** A commit on the hub. */
export interface Listing {
  readonly commit: string;
  /** Whether only its owner sees it, if the hub says so. */
  readonly isPrivate: boolean | undefined;
  /** What the hub says that a browser's page shows: whether one must ask for access, the licence, values by type. */
  readonly facts: ListingFacts;
  readonly names: readonly string[];
  has(name: string): boolean;
  /** Throws `not-found` for a name that the commit does not have. */
  file(name: string): RemoteFile;
}

const size = z.int().nonnegative();
const gitHash = z.string().regex(/^[0-9a-f]{40}$/);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const answerSchema = z.object({
  sha: gitHash,
  private: z.boolean().optional(),
  siblings: listOf(
    z.object({
      rfilename: z.string(),
      size: size.optional(),
      blobId: gitHash,
      lfs: z.object({ sha256, size }).nullish(),
    }),
  ),
  // Only shown, so anything else counts as nothing.
  gated: z.unknown().optional(),
  cardData: z
    .object({ license: z.string().max(100) })
    .optional()
    .catch(undefined),
  safetensors: z
    .object({ parameters: z.record(z.string().max(20), size) })
    .optional()
    .catch(undefined),
});

/** Limit in bytes. A repository with 100,000 files needs about 20 million. */
const largestAnswer = 64 * 2 ** 20;

/** Asks the hub for a revision of the model or data set `id`. Throws `network` or `not-found`. */
export async function listFiles(
  connection: Connection,
  kind: RepositoryKind,
  id: string,
  revision: string,
): Promise<Listing> {
  return listingOf(await askListing(connection, kind, id, revision), connection.endpoint, kind, id, revision);
}

/** What the hub has answered about a revision. */
export type HubAnswer = ReturnType<typeof parseListing>;

/** Asks, and leaves the answer as it is. Throws `network` or `not-found`. */
export async function askListing(
  connection: Connection,
  kind: RepositoryKind,
  id: string,
  revision: string,
): Promise<HubAnswer> {
  const { subject } = namesOf(kind, id, revision);
  const path = `/api/${kind}/${id}/revision/${encodeURIComponent(revision)}?blobs=true`;
  const text = await persistently(connection, subject, () =>
    get(connection, subject, path, { accept: 'application/json' }, (_, body) => readText(body)),
  );
  return parseListing(text, connection.endpoint, subject);
}

/** The commit that an answer describes. */
export function listingOf(
  { sha: commit, private: isPrivate, siblings, gated, cardData, safetensors }: HubAnswer,
  endpoint: string,
  kind: RepositoryKind,
  id: string,
  revision: string,
): Listing {
  const { repository, subject } = namesOf(kind, id, revision);
  const files = new Map(siblings.map((file) => [file.rfilename, file]));
  return {
    commit,
    isPrivate,
    facts: {
      isGated: gated === true || gated === 'auto' || gated === 'manual',
      licence: cardData?.license,
      values: safetensors?.parameters,
    },
    names: [...files.keys()],
    has: (name) => files.has(name),
    file(name) {
      const found = files.get(name);
      const bytes = found?.lfs?.size ?? found?.size;
      if (found === undefined || bytes === undefined) {
        throw new LincirError('not-found', {
          subject: `${subject} on ${endpoint}`,
          expected: `the file ${name} and its size`,
          found: 'none',
        });
      }
      return {
        subject: `${repository}/${name}`,
        name,
        path: `${kind === 'models' ? '' : '/datasets'}/${id}/resolve/${commit}/${encodePath(name)}`,
        size: bytes,
        etag: found.lfs?.sha256 ?? found.blobId,
      };
    },
  };
}

function namesOf(kind: RepositoryKind, id: string, revision: string) {
  const repository = kind === 'models' ? id : `hf://datasets/${id}`;
  return { repository, subject: revision === 'main' ? repository : `${repository}@${revision}` };
}

function encodePath(name: string): string {
  return name.split('/').map(encodeURIComponent).join('/');
}

/** The body as text; undefined if it is too long. */
async function readText(body: AsyncIterable<Uint8Array>): Promise<string | undefined> {
  const decoder = new TextDecoder();
  let text = '';
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > largestAnswer) return undefined;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** Parses the hub's answer about a revision. Throws `network` for anything else. */
export function parseListing(text: string | undefined, endpoint: string, subject: string) {
  let cause: unknown;
  try {
    return checkedValue(answerSchema, parseJsonText(text ?? '', subject), subject);
  } catch (error) {
    cause = error;
  }
  throw new LincirError('network', {
    subject,
    expected: `${endpoint} to list files as the Hugging Face hub does`,
    found: text === undefined ? `more than ${largestAnswer} bytes` : 'another answer',
    todo: 'check HF_ENDPOINT and any proxy',
    cause,
  });
}
