/** Keeps indexes as LanceDB databases: finds the current tables, and replaces an old set by a new one. */

import { readdir, stat } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { type Connection, connect, Session, type Table } from '@lancedb/lancedb';
import { call, errorCode, LincirError, quoted } from '../../core/index.ts';
import { asLincirError, exclusively, lockLifetime, makeFolder, takeLock } from '../../files/index.ts';
import type { StoreBackend } from '../backend.ts';
import type { ColumnType } from '../filter/filter.ts';
import { identityOf } from '../info.ts';
import { type Access, formatVersion, type IndexedImage, type StoreInfo } from '../store.ts';
import { engineError } from './errors.ts';
import { type Manifest, parseManifest } from './manifest.ts';
import { addComparedNames } from './names.ts';
import { type LaterTable, laterTables } from './notes.ts';
import { SharedFiles } from './permissions.ts';
import { brokenSchema, fieldOf, manifestSchema, picturesSchema, scalars, sqlTypes, tableOf } from './rows.ts';
import { LanceStore } from './store.ts';

/** Seconds after which a reader checks whether others have written. */
const consistencyInterval = 5;
/** The part of the machine's memory that the backend may use for an index. It takes only what it needs. */
const cachedPart = 1 / 4;
const metadataCache = 2n ** 27n;
const manifestTable = 'lincir';
const lockName = 'lincir.lock';
/** Processes that add take turns by this one: of two that add the same new image at once, both would add a row. */
const turnName = 'lincir.add.lock';
const generationTable = /^(?:pictures|broken|missing|sources)-(\d+)$/;

export const lanceBackend: StoreBackend = {
  async open(uri, access) {
    const database = await Database.open(uri, access);
    return await database.closingOnFailure(async () => {
      const { current, generations } = await database.manifest();
      // An interrupted replacement. Without locks, it may be in work.
      if (access === 'write' && isLocal(uri) && Object.keys(generations).length > 1) {
        await database.keepOnly(current, generations[current]!);
      }
      return await database.store(current, generations[current]!);
    });
  },

  async create(uri, info, access = 'write') {
    if (access === 'write') return await make(uri, info);
    // Of several that begin together, the first makes it.
    const unlessThere = async () => {
      const present = await lanceBackend.open(uri, 'read').catch(() => undefined);
      await (present ?? (await make(uri, info))).close();
    };
    const failure = await (isLocal(uri)
      ? exclusively(join(uri, turnName), undefined, unlessThere, lockLifetime)
      : unlessThere()
    ).catch((error: unknown) => error);
    return await lanceBackend.open(uri, access).catch((error: unknown) => {
      throw failure ?? error;
    });
  },

  async replace(uri, info) {
    const database = await Database.open(uri, 'write');
    return await database.closingOnFailure(async () => {
      const manifest = await database.manifest();
      const next = manifest.current + 1;
      const begun = manifest.generations[next];
      const isSame = begun !== undefined && identityOf(begun) === identityOf(info);
      if (!isSame) {
        await database.createTables(next, info);
        const generations = { ...manifest.generations, [next]: info };
        await database.writeManifest({ ...manifest, generations });
      }
      const store = await database.store(next, isSame ? begun : info);
      const publish = async () => {
        await database.keepOnly(next, store.info);
      };
      return { store, publish };
    });
  },
};

async function make(uri: string, info: StoreInfo): Promise<LanceStore> {
  const database = await Database.open(uri, 'create');
  return await database.closingOnFailure(async () => {
    if (await database.table(manifestTable)) {
      throw new LincirError('bad-argument', {
        subject: uri,
        expected: 'a place without an index',
        found: 'one',
        todo: 'open it, or choose another place',
      });
    }
    await database.writing(async () => {
      await database.createTables(1, info);
      await database.writeManifest({ current: 1, generations: { 1: info } });
    });
    return await database.store(1, info);
  });
}

/** A connection, and a writer's lock on a folder. Who adds takes that lock for each commit. */
class Database {
  readonly #uri: string;
  readonly #access: Access | 'create';
  readonly #files: SharedFiles;
  readonly #connection: Connection;
  readonly #release: () => Promise<void>;

  private constructor(
    uri: string,
    access: Access | 'create',
    connection: Connection,
    release: () => Promise<void>,
  ) {
    this.#uri = uri;
    this.#access = access;
    this.#files = new SharedFiles(uri);
    this.#connection = connection;
    this.#release = release;
  }

  /** Only `create` makes a folder. */
  static async open(uri: string, access: Access | 'create'): Promise<Database> {
    if (isLocal(uri)) await expectDatabase(uri, access);
    const isAlone = access === 'write' || access === 'create';
    const lock = isLocal(uri) && isAlone ? await takeLock(join(uri, lockName)) : undefined;
    const release = async () => await lock?.release();
    const cache = new Session(BigInt(Math.floor(totalmem() * cachedPart)), metadataCache);
    const seconds = { read: consistencyInterval, add: 0 };
    const options = isAlone ? {} : { readConsistencyInterval: seconds[access as 'read' | 'add'] };
    try {
      // LanceDB would read the beginning of a relative path such as `2024:photos` as a scheme.
      const place = isLocal(uri) ? resolve(uri) : uri;
      return new Database(uri, access, await connect(place, options, cache), release);
    } catch (error) {
      await release();
      throw engineError(error, uri, access === 'read' ? 'read' : 'write');
    }
  }

  async closingOnFailure<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      await this.close();
      throw engineError(error, this.#uri, 'read');
    }
  }

  /** Runs a commit. When it returns, other users can read whatever the permissions allow. */
  async writing<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await (this.#access === 'add' && isLocal(this.#uri) ? inTurn(this.#uri, work) : work());
    } catch (error) {
      throw engineError(error, this.#uri, 'write');
    } finally {
      await this.#files.share();
    }
  }

  /** A table; undefined if there is none, or only the remains of an interrupted creation. */
  async table(name: string): Promise<Table | undefined> {
    if (!(await this.#connection.tableNames()).includes(name)) return undefined;
    return await this.#connection.openTable(name).catch((error: Error) => {
      if (/was not found/.test(error.message)) return undefined;
      throw error;
    });
  }

  /** @throws LincirError 'not-found' if there is no index, 'bad-file' for one of a newer version or a damaged one. */
  async manifest(): Promise<Manifest> {
    const table = await this.table(manifestTable);
    if (table === undefined) throw noIndex(this.#uri);
    const [row] = await table.query().toArray();
    table.close();
    return parseManifest(String(row?.manifest), this.#uri);
  }

  async writeManifest(manifest: Manifest): Promise<void> {
    const text = JSON.stringify({ version: formatVersion, ...manifest });
    const table = tableOf([scalars(fieldOf('manifest', 'string'), [text])]);
    const present = await this.table(manifestTable);
    if (present) {
      await present.add(table, { mode: 'overwrite' });
      present.close();
    } else {
      await this.#connection.createTable(manifestTable, table, { schema: manifestSchema });
    }
  }

  async createTables(generation: number, info: StoreInfo): Promise<void> {
    const { pictures, broken, ...later } = tableNames(generation);
    const present = await this.#connection.tableNames();
    for (const name of Object.values(later)) {
      if (present.includes(name)) await this.#connection.dropTable(name);
    }
    const mode = { mode: 'overwrite' } as const; // the remains of an interrupted creation
    (await this.#connection.createEmptyTable(pictures, picturesSchema(info), mode)).close();
    (await this.#connection.createEmptyTable(broken, brokenSchema, mode)).close();
  }

  async store(generation: number, info: StoreInfo): Promise<LanceStore> {
    const names = tableNames(generation);
    const pictures = await this.#connection.openTable(names.pictures);
    const broken = await this.#connection.openTable(names.broken);
    const migrate = async () => {
      await addComparedNames(pictures);
      for (const table of [pictures, broken]) await addColumn(table, 'statusChanged', 'time');
      await addColumn(pictures, 'memberOffset', 'number');
    };
    if (this.#access !== 'read') await this.writing(migrate);
    const opened: Partial<Record<LaterTable, Table>> = {};
    return new LanceStore({
      uri: this.#uri,
      info,
      pictures,
      broken,
      later: async (name, make) => {
        opened[name] ??= await this.table(names[name]);
        if (make) opened[name] ??= await this.#connection.createEmptyTable(names[name], laterTables[name]);
        return opened[name];
      },
      bytes: async () => (isLocal(this.#uri) ? await bytesIn(this.#uri) : undefined),
      writing: (work) =>
        this.writing(async () => {
          if (this.#access === 'add') await this.#expectCurrent(generation);
          return await work();
        }),
      close: () => this.close(),
    });
  }

  /** What is added to tables that another index has replaced would be lost. */
  async #expectCurrent(generation: number): Promise<void> {
    const { current } = await this.manifest();
    if (current === generation) return;
    throw new LincirError('io', {
      subject: this.#uri,
      expected: 'the index that was opened',
      found: 'another, which has replaced it',
      todo: 'run the command again: it continues in the new one',
    });
  }

  /** Makes a generation the current and only one. Other tables may belong to a user. */
  async keepOnly(generation: number, info: StoreInfo): Promise<void> {
    await this.writing(() =>
      this.writeManifest({ current: generation, generations: { [generation]: info } }),
    );
    for (const name of await this.#connection.tableNames()) {
      const found = generationTable.exec(name)?.[1];
      if (found !== undefined && Number(found) !== generation) await this.#connection.dropTable(name);
    }
  }

  async close(): Promise<void> {
    this.#connection.close();
    if (this.#access !== 'read') await this.#files.share();
    await this.#release();
  }
}

/** Object storage has no locks. */
function isLocal(uri: string): boolean {
  return !/^\w+:\/\//.test(uri);
}

/** Waits for other processes that add, but not for one that may do everything. */
async function inTurn<T>(uri: string, work: () => Promise<T>): Promise<T> {
  const alone = async () => {
    const lock = await takeLock(join(uri, lockName));
    try {
      return await work();
    } finally {
      await lock.release();
    }
  };
  return await exclusively(join(uri, turnName), undefined, alone, lockLifetime);
}

function tableNames(generation: number): Record<'pictures' | 'broken' | LaterTable, string> {
  return {
    pictures: `pictures-${generation}`,
    broken: `broken-${generation}`,
    missing: `missing-${generation}`,
    sources: `sources-${generation}`,
  };
}

/** An index of an earlier version lacks this column: nothing is known yet. */
async function addColumn(table: Table, name: keyof IndexedImage, type: ColumnType): Promise<void> {
  if ((await table.schema()).fields.some((field) => field.name === name)) return;
  await table.addColumns([{ name, valueSql: `cast(null as ${sqlTypes[type]})` }]);
}

/**
 * Checks that an index is there, or makes its folder for a new one, unless the folder has other contents. This comes
 * before LanceDB, which would make folders itself.
 */
async function expectDatabase(path: string, access: Access | 'create'): Promise<void> {
  try {
    if (access === 'create') await makeFolder(path);
    const names = await readdir(path);
    if (access !== 'create') {
      if (names.includes(`${manifestTable}.lance`)) return;
      throw noIndex(path);
    }
    const own = (name: string) =>
      /^(__manifest|\.lincir-.*|.*\.lance)$/.test(name) || [lockName, turnName].includes(name);
    const other = names.find((name) => !own(name));
    if (other === undefined || names.includes(`${manifestTable}.lance`)) return;
    throw new LincirError('bad-argument', {
      subject: path,
      expected: 'an index, or an empty or new folder for one',
      found: `a folder with ${quoted(other)}`,
      todo: 'name another folder, such as photos.lance',
    });
  } catch (error) {
    if (access !== 'create' && errorCode(error) === 'ENOENT') throw noIndex(path);
    throw asLincirError(error, path, access === 'read' ? 'read' : 'write');
  }
}

function noIndex(uri: string): LincirError {
  return new LincirError('not-found', {
    subject: uri,
    expected: 'an index',
    found: 'none',
    todo: `check the path, or make one: ${call('openIndex', uri, { model: 'base' })}`,
  });
}

/** What another process takes away meanwhile counts nothing. */
async function bytesIn(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const sizes = await Promise.all(
    entries.map(async (entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return await bytesIn(path);
      return entry.isFile()
        ? await stat(path).then(
            ({ size }) => size,
            () => 0,
          )
        : 0;
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
