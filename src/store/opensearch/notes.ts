/** What an index in OpenSearch notes beside its images: broken ones, missing ones, sources, and when the images changed. */

import { hash, randomInt } from 'node:crypto';
import { z } from 'zod';
import { chunks, parseJsonText } from '../../core/index.ts';
import {
  type BrokenImage,
  brokenOf,
  type MissingImage,
  recordOfSource,
  type SourceRecord,
} from '../store.ts';
import type { Cluster } from './cluster.ts';
import { pages, search } from './reading.ts';
import type { Change } from './writing.ts';

type Kind = 'broken' | 'missing' | 'source';

const keyword = { type: 'keyword' } as const;
/** A note is JSON, which the cluster does not look into. */
const note = { type: 'keyword', index: false, doc_values: false } as const;
export const notesMapping = {
  dynamic: 'strict',
  _meta: { lincir: 'notes' },
  properties: {
    id: keyword,
    kind: keyword,
    key: keyword,
    path: keyword,
    hash: keyword,
    note,
    version: { type: 'long', index: false },
  },
};
const valuesPerLookup = 1000;
const document = z.object({ note: z.string() });
const versionDocument = z.object({ _source: z.object({ version: z.number() }) });

export abstract class Notes {
  readonly #cluster: Cluster;
  readonly #index: string;

  constructor(cluster: Cluster, index: string) {
    this.#cluster = cluster;
    this.#index = index;
  }

  /** Lets searches find what this store has written. */
  protected abstract refresh(): Promise<unknown>;
  protected abstract write(changes: readonly Change[]): Promise<void>;

  async *broken(): AsyncGenerator<readonly BrokenImage[], void, void> {
    for await (const some of this.#all<BrokenImage>('broken')) yield some.map(brokenOf);
  }

  async addBroken(pictures: readonly BrokenImage[]): Promise<void> {
    await this.write(pictures.map((picture) => this.#set('broken', picture.path, picture)));
  }

  async removeBroken(paths: readonly string[]): Promise<void> {
    await this.write(paths.map((path) => this.#delete('broken', path)));
  }

  async *missing(): AsyncGenerator<readonly MissingImage[], void, void> {
    yield* this.#all<MissingImage>('missing');
  }

  async findMissing(column: 'id' | 'path' | 'hash', values: readonly string[]): Promise<MissingImage[]> {
    return await this.#find('missing', column === 'id' ? 'key' : column, values);
  }

  async addMissing(pictures: readonly MissingImage[]): Promise<void> {
    await this.write(pictures.map((picture) => this.#set('missing', picture.id, picture, picture)));
  }

  async removeMissing(ids: readonly string[]): Promise<void> {
    await this.write(ids.map((id) => this.#delete('missing', id)));
  }

  async *sources(): AsyncGenerator<readonly SourceRecord[], void, void> {
    for await (const some of this.#all<SourceRecord>('source')) yield some.map(recordOfSource);
  }

  async findSources(names: readonly string[]): Promise<SourceRecord[]> {
    return await this.#find('source', 'key', names);
  }

  async recordSources(records: readonly SourceRecord[]): Promise<void> {
    await this.write(records.map((record) => this.#set('source', record.source, record)));
  }

  async removeSources(names: readonly string[]): Promise<void> {
    await this.write(names.map((name) => this.#delete('source', name)));
  }

  protected async countNotes(kind: Kind): Promise<number> {
    await this.refresh();
    const body = { size: 0, query: { term: { kind } }, track_total_hits: true };
    return (await search(this.#cluster, this.#index, body)).hits.total?.value ?? 0;
  }

  /** The number that the last change of the images has left. */
  protected async noted(): Promise<number> {
    const path = `/${this.#index}/_doc/version`;
    const found = versionDocument.safeParse(
      await this.#cluster.request({ method: 'GET', path, allowed: [404] }),
    );
    return found.data?._source.version ?? 0;
  }

  /** Leaves another number, which writers need not agree upon. */
  protected newVersion(): Change {
    const version = randomInt(1, 2 ** 48 - 1);
    return {
      ...this.#place('version'),
      action: 'index',
      document: { id: 'version', version },
      name: 'version',
    };
  }

  async *#all<Note>(kind: Kind, query?: object): AsyncGenerator<readonly Note[], void, void> {
    await this.refresh();
    const filter = { bool: { filter: [{ term: { kind } }, ...(query ? [query] : [])] } };
    for await (const some of pages(this.#cluster, this.#index, filter, ['note'])) {
      yield some.map(
        (one) => parseJsonText(document.parse(one).note, `notes of ${this.#cluster.uri}`) as Note,
      );
    }
  }

  async #find<Note>(kind: Kind, field: 'key' | 'path' | 'hash', values: readonly string[]): Promise<Note[]> {
    const found: Note[] = [];
    for await (const part of chunks(values, valuesPerLookup)) {
      const terms = { terms: { [field]: part } };
      for await (const some of this.#all<Note>(kind, terms)) found.push(...some);
    }
    return found;
  }

  #set(kind: Kind, key: string, value: object, other?: Pick<MissingImage, 'path' | 'hash'>): Change {
    const place = this.#place(`${kind} ${key}`);
    const found = other && { path: other.path, hash: other.hash };
    const noted = { id: place.id, kind, key, ...found, note: JSON.stringify(value) };
    return { ...place, action: 'index', document: noted, name: key };
  }

  #delete(kind: Kind, key: string): Change {
    return { ...this.#place(`${kind} ${key}`), action: 'delete', name: key };
  }

  #place(name: string) {
    return { index: `${this.#index}.write`, id: name === 'version' ? name : hash('sha256', name) };
  }
}
