/** Converts images to the Arrow batches of LanceDB's tables, and back. */

import { createRequire } from 'node:module';
import type * as Arrow from 'apache-arrow';
import { halfOf, nameKey } from '../../core/index.ts';
import type { ColumnType, Scalar } from '../filter/filter.ts';
import { comparedNames, type IndexedImage, type Metadata, type Precision, type StoreInfo } from '../store.ts';

/** The instance of the library that LanceDB uses. It would have to copy batches from another one, such as `import` gives. */
const arrow: typeof Arrow = createRequire(import.meta.url)('apache-arrow');

/** A column's values, or null. */
type Column = { readonly field: Arrow.Field; readonly vector: Arrow.Vector };

const arrowTypes: Readonly<Record<ColumnType, () => Arrow.DataType>> = {
  string: () => new arrow.Utf8(),
  number: () => new arrow.Float64(),
  boolean: () => new arrow.Bool(),
  time: () => new arrow.Float64(),
};

/** LanceDB's names of these types in SQL. */
export const sqlTypes: Readonly<Record<ColumnType, string>> = {
  string: 'string',
  number: 'double',
  boolean: 'boolean',
  time: 'double',
};

/** The types of an image's own columns, in order. */
const pictureColumns: Readonly<Record<keyof IndexedImage, ColumnType>> = {
  id: 'string',
  path: 'string',
  folder: 'string',
  size: 'number',
  modified: 'time',
  statusChanged: 'time',
  memberOffset: 'number',
  hash: 'string',
  norm: 'number',
};
const nullable: ReadonlySet<string> = new Set<keyof IndexedImage>(['statusChanged', 'memberOffset', 'norm']);

export const imageNames = Object.keys(pictureColumns) as (keyof IndexedImage)[];

export function picturesSchema(info: Pick<StoreInfo, 'dimensions' | 'precision'>): Arrow.Schema {
  const own = Object.entries(pictureColumns).map(([name, type]) => fieldOf(name, type, nullable.has(name)));
  const compared = Object.values(comparedNames).map((name) => fieldOf(name, 'string', true));
  return new arrow.Schema([...own, ...compared, vectorField(info.dimensions, info.precision)]);
}

export const brokenSchema = new arrow.Schema([
  fieldOf('path', 'string'),
  fieldOf('size', 'number'),
  fieldOf('modified', 'time'),
  fieldOf('statusChanged', 'time', true),
  fieldOf('reason', 'string'),
]);

export const brokenNames = brokenSchema.fields.map(({ name }) => name);

export const missingSchema = new arrow.Schema([
  ...['id', 'path', 'hash', 'metadata'].map((name) => fieldOf(name, 'string')),
  fieldOf('since', 'time'),
]);

export const sourcesSchema = new arrow.Schema([
  ...['source', 'version', 'state', 'worker'].map((name) => fieldOf(name, 'string')),
  ...['images', 'broken'].map((name) => fieldOf(name, 'number')),
  ...['began', 'updated'].map((name) => fieldOf(name, 'time')),
  fieldOf('reason', 'string', true),
]);

/** One row of text: the index's info. */
export const manifestSchema = new arrow.Schema([fieldOf('manifest', 'string')]);

export function fieldOf(name: string, type: ColumnType, isNullable = false): Arrow.Field {
  return new arrow.Field(name, arrowTypes[type](), isNullable);
}

/** A column of scalars. -0 becomes 0, because LanceDB's filters take it for less than 0. */
export function scalars(field: Arrow.Field, values: readonly (Scalar | null)[]): Column {
  return {
    field,
    vector: arrow.vectorFromArray(
      values.map((value) => (value === 0 ? 0 : value)),
      field.type,
    ),
  };
}

/** The image's own columns that some row has, `id` among them, and the compared forms of names. */
export function imageScalars(rows: readonly Partial<IndexedImage>[]): Column[] {
  const isThere = (name: string) => rows.some((row) => name in row);
  const own = imageNames.filter(isThere).map((name) =>
    scalars(
      fieldOf(name, pictureColumns[name], nullable.has(name)),
      rows.map((row) => row[name] ?? null),
    ),
  );
  const compared = (['path', 'folder'] as const).filter(isThere).map((name) => {
    const keys = rows.map((row) => nameKey(row[name]!));
    return scalars(
      fieldOf(comparedNames[name], 'string', true),
      keys.map((key, at) => (key === rows[at]![name] ? null : key)),
    );
  });
  return [...own, ...compared];
}

/** Columns of metadata. Rows may lack some. */
export function metadataColumns(
  columns: ReadonlyMap<string, ColumnType>,
  values: readonly Metadata[],
): Column[] {
  return [...columns].map(([name, type]) =>
    scalars(
      fieldOf(name, type, true),
      values.map((row) => (typeof row[name] === type ? row[name]! : null)),
    ),
  );
}

/** A column of vectors, contiguous in memory: [rows, dimensions]. */
export function vectors(rows: readonly { readonly vector: Float32Array }[], info: StoreInfo): Column {
  const { dimensions, precision } = info;
  const field = vectorField(dimensions, precision);
  const values = new Float32Array(rows.length * dimensions);
  rows.forEach(({ vector }, row) => {
    values.set(vector, row * dimensions);
  });
  const child =
    precision === 'float16'
      ? arrow.makeData({
          type: new arrow.Float16(),
          data: Uint16Array.from(values, halfOf),
        })
      : arrow.makeData({ type: new arrow.Float32(), data: values });
  const data = arrow.makeData({ type: field.type, length: rows.length, nullCount: 0, child });
  return { field, vector: vectorOf(data) };
}

export function tableOf(columns: readonly Column[]): Arrow.Table {
  const schema = new arrow.Schema(columns.map(({ field }) => field));
  const children = columns.map(({ vector }) => vector.data[0]!);
  const length = children[0]?.length ?? 0;
  const data = arrow.makeData({ type: new arrow.Struct(schema.fields), length, nullCount: 0, children });
  return new arrow.Table([new arrow.RecordBatch(schema, data)]);
}

/** The rows of a batch from LanceDB, with vectors as float32. */
export function rowsOf(batch: Arrow.RecordBatch): Record<string, unknown>[] {
  const columns = batch.schema.fields.map(({ name }, at) => {
    const vector = batch.getChildAt(at)!;
    const get = (row: number): unknown => {
      const value: unknown = vector.get(row);
      return isVector(value) ? float32Of(value) : value;
    };
    return { name, get };
  });
  return Array.from({ length: batch.numRows }, (_, row) =>
    Object.fromEntries(columns.map(({ name, get }) => [name, get(row)])),
  );
}

/** The values of the only column of batches. */
export async function* cellsOf(
  batches: AsyncIterable<Arrow.RecordBatch>,
): AsyncGenerator<readonly (Scalar | null)[], void, void> {
  for await (const batch of batches) yield [...batch.getChildAt(0)!];
}

function vectorField(dimensions: number, precision: Precision): Arrow.Field {
  const item = precision === 'float16' ? new arrow.Float16() : new arrow.Float32();
  return new arrow.Field(
    'vector',
    new arrow.FixedSizeList(dimensions, new arrow.Field('item', item, true)),
    false,
  );
}

function vectorOf(data: ReturnType<typeof arrow.makeData>): Arrow.Vector {
  const schema = new arrow.Schema([new arrow.Field('only', data.type)]);
  const struct = arrow.makeData({
    type: new arrow.Struct(schema.fields),
    length: data.length,
    nullCount: 0,
    children: [data],
  });
  return new arrow.RecordBatch(schema, struct).getChildAt(0)!;
}

function isVector(value: unknown): value is Arrow.Vector {
  return typeof value === 'object' && value !== null && 'toArray' in value;
}

/** Arrow gives halves as bits. */
function float32Of(vector: Arrow.Vector): Float32Array {
  const values: unknown = vector.toArray();
  if (values instanceof Uint16Array) return Float32Array.from(values, arrow.util.uint16ToFloat64);
  return Float32Array.from(values as Float32Array);
}
