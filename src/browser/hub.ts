/** The hub as a page sees it: what it lists of a revision, asked once and then kept, and a listing's files. */

import {
  type DownloadOptions,
  type DownloadProgress,
  expectSecure,
  LincirError,
  parseJson,
} from '../core/index.ts';
import {
  askListing,
  type Connection,
  checkedEndpoint,
  defaultPatience,
  type HubAnswer,
  hubAddress,
  type Listing,
  listingOf,
  parseListing,
  type RemoteFile,
  smallFiles,
} from '../hub/portable.ts';
import { keptBlocks, memoryBlocks } from './blocks.ts';
import { folderIn, madeFolder, privateFolder, readSealed, remove, writeSealed } from './private-files.ts';
import { RemoteSource } from './remote-file.ts';

export interface HubSettings {
  /** Where models come from, in place of https://huggingface.co: a mirror that speaks as the hub does. */
  readonly endpoint: string;
  /** Whether what arrives is kept in the browser's private file system. False: only in memory, as long as the page is open. */
  readonly keep: boolean;
  /**
   * Whether to take `model.fp16.safetensors` where a model has it: half as much to fetch. Embeddings then differ slightly from
   * those of `model.safetensors`, and have another fingerprint.
   */
  readonly half: boolean;
}

let settings: HubSettings = { endpoint: hubAddress, keep: true, half: false };

/** Changes where models come from, and whether they stay. Throws LincirError 'bad-argument' for an impossible address. */
export function configureHub(changes: Partial<HubSettings>): void {
  const endpoint = checkedEndpoint(changes.endpoint ?? settings.endpoint, 'endpoint');
  settings = { ...settings, ...changes, endpoint };
}

/** The settings, and a download's own hub. */
export function hubSettings({ environment }: DownloadOptions = {}): HubSettings {
  const own = environment?.HF_ENDPOINT;
  return own ? { ...settings, endpoint: checkedEndpoint(own, 'HF_ENDPOINT') } : settings;
}

/** Throws LincirError 'device' on a page without HTTPS. */
export function connect(options: DownloadOptions): Connection {
  expectSecure();
  return {
    ...defaultPatience,
    ...options.patience,
    endpoint: hubSettings(options).endpoint,
    token: undefined,
    signal: options.signal,
    manner: { cache: 'no-store', credentials: 'omit', referrerPolicy: 'no-referrer' },
    advice: {
      unreachable:
        "check your network, then try again: what has arrived is kept; a page's policy must allow this host, too",
      refused: 'choose a model that needs no permission, or download it and give its files',
      unknown: 'check the name; private models cannot be opened in a page: download it and give its files',
    },
  };
}

/** The folder of a model in the browser's private file system. */
export function folderOf(id: string): readonly string[] {
  return ['hub', id.replace('/', '--')];
}

/** The private file system, unless nothing is to be kept. */
export async function storage(): Promise<FileSystemDirectoryHandle | undefined> {
  return settings.keep ? await privateFolder() : undefined;
}

/** A revision of a model: what an earlier visit kept, without any request, or else what the hub says. */
export async function listed(id: string, revision: string, connection: Connection): Promise<Listing> {
  const { endpoint } = connection;
  const answer = (await keptAnswer(id, revision, endpoint)) ?? (await askedAnswer(id, revision, connection));
  return listingOf(answer, endpoint, 'models', id, revision);
}

async function askedAnswer(id: string, revision: string, connection: Connection): Promise<HubAnswer> {
  const answer = await askListing(connection, 'models', id, revision);
  const siblings = answer.siblings.filter(({ rfilename }) => isWorthKeeping(rfilename));
  const root = await storage();
  const text = JSON.stringify({ ...answer, siblings });
  if (root) {
    const folder = await madeFolder(root, [...folderOf(id), 'refs']);
    await writeSealed(folder, encodeURIComponent(revision), new TextEncoder().encode(text));
  }
  return { ...answer, siblings };
}

/** Lets the next visit ask the hub what a model's revisions are. */
async function forgetAnswers(id: string): Promise<void> {
  const root = await storage();
  const folder = root && (await folderIn(root, folderOf(id)));
  if (folder) await remove(folder, 'refs');
}

async function keptAnswer(id: string, revision: string, endpoint: string): Promise<HubAnswer | undefined> {
  const root = await storage();
  const folder = root && (await folderIn(root, [...folderOf(id), 'refs']));
  const bytes = folder && (await readSealed(folder, encodeURIComponent(revision)));
  if (bytes === undefined) return undefined;
  try {
    return parseListing(JSON.stringify(parseJson(bytes, id)), endpoint, id);
  } catch (error) {
    if (error instanceof LincirError) return undefined; // of another version of lincir: it is asked for again
    throw error;
  }
}

function isWorthKeeping(name: string): boolean {
  return (
    (smallFiles as readonly string[]).includes(name) ||
    /\.(safetensors|bin|pt|pth)(\.index\.json)?$/.test(name)
  );
}

/** The advice where the hub does not have what it listed. */
const isGone = 'the model has changed or become private since it was listed: open it again to ask anew';

/** The files of one download, and how far it is. */
export class Download {
  readonly #id: string;
  readonly #connection: Connection;
  #onProgress: ((progress: DownloadProgress) => void) | undefined;
  readonly #sources = new Map<string, Promise<RemoteSource>>();
  #received = 0;
  #total = 0;
  #news: DownloadProgress | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(id: string, connection: Connection, onProgress: DownloadOptions['onProgress']) {
    this.#id = id;
    this.#connection = { ...connection, advice: { ...connection.advice!, unknown: isGone } };
    this.#onProgress = onProgress;
  }

  /** The file as a source. All who ask get the same. */
  source(file: RemoteFile): Promise<RemoteSource> {
    const known = this.#sources.get(file.name);
    if (known) return known;
    const made = this.#open(file);
    this.#sources.set(file.name, made);
    return made;
  }

  /** Tells what has not been told of its progress, and nothing more: blocks that are on their way may arrive later. */
  end(): void {
    this.#tellNews();
    this.#onProgress = undefined;
  }

  async #open(file: RemoteFile): Promise<RemoteSource> {
    const path = [...folderOf(this.#id), 'blobs', file.etag];
    const blocks = (await storage()) ? keptBlocks(path) : memoryBlocks(path);
    let received = 0;
    const source = await RemoteSource.open(file, blocks, this.#connection, {
      onReceived: (bytes) => {
        received += bytes;
        this.#received += bytes;
        this.#tell(file, Math.min(received, file.size));
      },
      onGone: () => forgetAnswers(this.#id),
    });
    received = source.here;
    this.#received += received;
    this.#total += file.size;
    return source;
  }

  /** At most twenty times a second. */
  #tell({ name, size }: RemoteFile, receivedBytes: number): void {
    this.#news = {
      file: name,
      receivedBytes,
      totalBytes: size,
      allReceivedBytes: Math.min(this.#received, this.#total),
      allTotalBytes: this.#total,
    };
    if (this.#received >= this.#total) this.#tellNews();
    this.#timer ??= setTimeout(() => this.#tellNews(), 50);
  }

  #tellNews(): void {
    clearTimeout(this.#timer);
    const news = this.#news;
    [this.#timer, this.#news] = [undefined, undefined];
    if (news && !this.#connection.signal?.aborted) this.#onProgress?.(news);
  }
}
