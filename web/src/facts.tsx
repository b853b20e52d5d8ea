/** What the index knows of an image. A click on a fact searches only among images that share it. */

import type { IndexedImage } from '../../src/api/index.ts';
import { useApp } from './app.ts';
import { bytes, date, fileName, visible } from './display.ts';
import { narrowed } from './filter.ts';

export function Facts({
  image,
  score,
}: {
  readonly image: IndexedImage;
  readonly score: string | undefined;
}) {
  const { index, change } = useApp();
  const { path, folder, size, modified, metadata = {} } = image;
  const { width, height, ...others } = metadata;
  const narrow = (column: string, value: string) =>
    change((query) => ({
      ...query,
      filter: narrowed(query.filter, { column, operator: 'is', value }, index.columns),
    }));
  const fact = (name: string, value: string, filter?: readonly [string, string]) => (
    <div key={name}>
      <dt>
        <bdi>{visible(name)}</bdi>
      </dt>
      <dd>
        {filter && index.columns.some((column) => column.name === filter[0]) ? (
          <button
            type="button"
            class="link"
            title="Show only images like this"
            onClick={() => narrow(...filter)}
          >
            <bdi>{visible(value)}</bdi>
          </button>
        ) : (
          <bdi>{visible(value)}</bdi>
        )}
      </dd>
    </div>
  );
  return (
    <dl>
      {score !== undefined && fact('Score', score)}
      {path !== undefined && fact('Name', fileName(path))}
      {folder !== undefined && fact('Folder', folder, ['folder', folder])}
      {typeof width === 'number' && typeof height === 'number' && fact('Pixels', `${width} × ${height}`)}
      {size !== undefined && fact('Size', bytes(size))}
      {typeof others.taken === 'string' && fact('Taken', date(others.taken))}
      {modified !== undefined && fact('Changed', date(modified))}
      {Object.entries(others)
        .filter(([name, value]) => value !== null && value !== '' && name !== 'taken')
        .map(([name, value]) => fact(name, `${value}`, [name, `${value}`]))}
      {fact('Id', image.id)}
    </dl>
  );
}
