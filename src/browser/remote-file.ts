/** A file on the hub as a source of bytes: fetched block by block as it is read, and kept. */

import { LincirError, type RandomAccess } from '../core/index.ts';
import { Interruption } from '../files/portable.ts';
import { type Connection, get, persistently, type RemoteFile } from '../hub/portable.ts';
import { type Blocks, blockLength } from './blocks.ts';
import { fromDisk, fromNetwork, locked } from './lanes.ts';

/** Blocks after those that are read, which are fetched at the same time: files are mostly read from front to back. */
const blocksAhead = 3;

interface Hooks {
  /** Gets the number of bytes whenever some have arrived: from the network, or through another tab. */
  readonly onReceived: (bytes: number) => void;
  /** The hub does not have the file any more. */
  readonly onGone: () => Promise<void>;
}

export class RemoteSource implements RandomAccess {
  readonly name: string;
  readonly size: number;
  readonly #file: RemoteFile;
  readonly #blocks: Blocks;
  readonly #connection: Connection;
  readonly #hooks: Hooks;
  /** Blocks that are there. Those in `#checked` were read as a whole, so their parts may be. */
  readonly #here: Set<number>;
  readonly #checked = new Set<number>();
  readonly #pending = new Map<number, Promise<Uint8Array<ArrayBuffer>>>();
  /** Of a server that gives no ranges, but the whole file. */
  #stream: Promise<void> | undefined;
  readonly #awaited = new Map<number, (bytes: Uint8Array<ArrayBuffer>) => void>();

  private constructor(
    file: RemoteFile,
    blocks: Blocks,
    here: readonly number[],
    connection: Connection,
    hooks: Hooks,
  ) {
    this.name = file.subject;
    this.size = file.size;
    this.#file = file;
    this.#blocks = blocks;
    this.#here = new Set(here);
    this.#connection = connection;
    this.#hooks = hooks;
  }

  static async open(
    file: RemoteFile,
    blocks: Blocks,
    connection: Connection,
    hooks: Hooks,
  ): Promise<RemoteSource> {
    return new RemoteSource(file, blocks, await blocks.list(), connection, hooks);
  }

  /** Bytes that are here. */
  get here(): number {
    return [...this.#here].reduce((sum, block) => sum + this.#lengthOf(block), 0);
  }

  /** Whether all of it is here now: memory may have lost some. */
  async isWhole(): Promise<boolean> {
    return (await this.#blocks.list()).length === this.#count;
  }

  /** Whether all of it is here, and was found to have its hash. */
  async isChecked(): Promise<boolean> {
    return this.#here.size === this.#count && (await this.#blocks.isChecked());
  }

  /** Keeps that it has its hash until another block is fetched. */
  async setChecked(): Promise<void> {
    await this.#blocks.setChecked();
  }

  /** Forgets all that is here. */
  async clear(): Promise<void> {
    this.#here.clear();
    this.#checked.clear();
    await this.#blocks.clear();
  }

  /** @throws LincirError 'network', 'not-found', 'io' when the storage is full, and the signal's reason */
  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    if (!(offset >= 0 && length >= 0 && offset + length <= this.size)) {
      throw new LincirError('bad-file', {
        subject: this.name,
        expected: `bytes ${offset} to ${offset + length}`,
        found: `a file of ${this.size} bytes`,
      });
    }
    const bytes = new Uint8Array(length);
    if (length === 0) return bytes;
    const first = Math.floor(offset / blockLength);
    const end = Math.floor((offset + length - 1) / blockLength) + 1;
    const parts = [...this.#numbers(first, end)].map(async (block) => {
      const begin = block * blockLength;
      const from = Math.max(offset, begin);
      const to = Math.min(offset + length, begin + this.#lengthOf(block));
      bytes.set(await this.#part(block, from - begin, to - begin), from - offset);
    });
    for (const block of this.#numbers(end, Math.min(end + blocksAhead, this.#count))) {
      if (!this.#here.has(block)) void this.#block(block).catch(() => {}); // told when it is read
    }
    await Promise.all(parts);
    return bytes;
  }

  get #count(): number {
    return Math.ceil(this.size / blockLength);
  }

  *#numbers(from: number, to: number): Generator<number, void, void> {
    for (let block = from; block < to; block += 1) yield block;
  }

  #lengthOf(block: number): number {
    return Math.min(blockLength, this.size - block * blockLength);
  }

  async #part(block: number, from: number, to: number): Promise<Uint8Array<ArrayBuffer>> {
    const isPart = this.#checked.has(block) && !this.#pending.has(block);
    const part = isPart ? await fromDisk(() => this.#blocks.part(block, from, to)) : undefined;
    return part ?? (await this.#block(block)).subarray(from, to);
  }

  /** A block, which all who want it at the same time share. */
  #block(block: number): Promise<Uint8Array<ArrayBuffer>> {
    const pending = this.#pending.get(block);
    if (pending) return pending;
    const made = this.#made(block).finally(() => this.#pending.delete(block));
    this.#pending.set(block, made);
    return made;
  }

  async #made(block: number): Promise<Uint8Array<ArrayBuffer>> {
    const kept = await fromDisk(() => this.#kept(block));
    return kept ?? (await fromNetwork(() => this.#fetched(block)));
  }

  async #kept(block: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const bytes = await this.#blocks.read(block);
    if (bytes?.length !== this.#lengthOf(block)) {
      this.#here.delete(block);
      return undefined;
    }
    if (!this.#here.has(block)) this.#hooks.onReceived(bytes.length); // through another tab
    this.#here.add(block);
    this.#checked.add(block);
    return bytes;
  }

  /** Only one tab fetches a block at a time. The others then find it. */
  #fetched(block: number): Promise<Uint8Array<ArrayBuffer>> {
    const { signal } = this.#connection;
    return locked(`lincir ${this.#file.etag} ${block}`, signal, async () => {
      const kept = await this.#kept(block);
      if (kept) return kept;
      const bytes = await this.#download(block).catch(async (error: unknown) => {
        if (error instanceof LincirError && error.code === 'not-found') await this.#hooks.onGone();
        throw error;
      });
      await this.#keep(block, bytes);
      return bytes;
    });
  }

  async #keep(block: number, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    if (this.#here.has(block)) return;
    await this.#blocks.write(block, bytes);
    this.#here.add(block);
    this.#checked.add(block);
  }

  async #download(block: number): Promise<Uint8Array<ArrayBuffer>> {
    const { name, size } = this;
    const { path } = this.#file;
    const begin = block * blockLength;
    const bytes = new Uint8Array(this.#lengthOf(block));
    let received = 0;
    return await persistently(this.#connection, name, async (advanced) => {
      const streamed = this.#stream && (await this.#fromStream(block));
      if (streamed) return streamed;
      // A range with both ends is one that browsers let pages ask of any host, without asking this first.
      const isWhole = this.#count === 1 && received === 0;
      const range = `bytes=${begin + received}-${begin + bytes.length - 1}`;
      return await get(this.#connection, name, path, isWhole ? {} : { range }, async (response, chunks) => {
        if (response.status === 200 && !isWhole) return await this.#streamed(block, chunks, advanced);
        const told = response.headers.get('content-range'); // not every host lets pages read it
        if (response.status === 416 || (told !== null && told !== `${range.replace('=', ' ')}/${size}`))
          throw this.#otherFile(`HTTP status ${response.status} with ${told ?? 'no range'}`);
        for await (const chunk of chunks) {
          if (received + chunk.length > bytes.length) throw this.#otherFile('more bytes');
          bytes.set(chunk, received);
          received += chunk.length;
          advanced();
          this.#hooks.onReceived(chunk.length);
          if (received === bytes.length && !isWhole) return bytes; // even if the download has just been ended
        }
        if (received < bytes.length)
          throw new Interruption(`an end after ${begin + received} of ${size} bytes`);
        return bytes;
      });
    });
  }

  /** Keeps all blocks of a whole file that a server sends in place of a range; gives one of them. */
  async #streamed(
    block: number,
    chunks: AsyncIterable<Uint8Array>,
    advanced: () => void,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const other = this.#stream && (await this.#fromStream(block));
    if (other) return other;
    let wanted: Uint8Array<ArrayBuffer> | undefined;
    this.#stream = this.#receiveAll(chunks, (at, bytes) => {
      if (at === block) wanted = bytes;
      if (!this.#here.has(at)) advanced(); // else it may begin anew for ever
    }).finally(() => {
      this.#stream = undefined;
      this.#awaited.clear();
    });
    await this.#stream;
    return wanted!;
  }

  async #receiveAll(
    chunks: AsyncIterable<Uint8Array>,
    onBlock: (block: number, bytes: Uint8Array<ArrayBuffer>) => void,
  ): Promise<void> {
    let at = 0;
    let bytes = new Uint8Array(this.#lengthOf(0));
    let filled = 0;
    for await (const chunk of chunks) {
      for (let from = 0; from < chunk.length; ) {
        if (at === this.#count) {
          await this.clear();
          throw this.#otherFile('more bytes');
        }
        const part = chunk.subarray(from, from + bytes.length - filled);
        bytes.set(part, filled);
        filled += part.length;
        from += part.length;
        if (!this.#here.has(at)) this.#hooks.onReceived(part.length);
        if (filled < bytes.length) continue;
        onBlock(at, bytes);
        await this.#keep(at, bytes);
        this.#awaited.get(at)?.(bytes);
        at += 1;
        bytes = new Uint8Array(at < this.#count ? this.#lengthOf(at) : 0);
        filled = 0;
      }
    }
    if (at < this.#count)
      throw new Interruption(`an end after ${at * blockLength + filled} of ${this.size} bytes`);
  }

  /** Waits for a block in the stream; undefined if it does not come there any more. */
  async #fromStream(block: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const arrived = new Promise<Uint8Array<ArrayBuffer>>((resolve) => this.#awaited.set(block, resolve));
    return (await this.#kept(block)) ?? (await Promise.race([arrived, this.#stream])) ?? undefined;
  }

  #otherFile(found: string): LincirError {
    return new LincirError('network', {
      subject: this.name,
      expected: `a file of ${this.size} bytes`,
      found,
      todo: 'try again, and suspect a proxy or mirror if it happens again',
    });
  }
}
