/** A row of results: their pictures, ranks and scores, and the buttons for what one can do with them. */

import { Component } from 'preact';
import type { FoundImage } from '../../src/api/index.ts';
import { api } from './back-end.ts';
import { fileName, proportionsOf, score, visible } from './display.ts';
import { Icon } from './icons.tsx';
import type { Cell, Row } from './layout.ts';
import { Thumbnail } from './thumbnail.tsx';

/** What tiles do. It stays the same object, so that rows need not be drawn anew. */
export interface TileActs {
  readonly open: (image: FoundImage) => void;
  readonly use: (image: FoundImage) => void;
  readonly menu: (image: FoundImage, button: HTMLElement) => void;
}

interface TileRowProps {
  readonly index: string;
  readonly row: Row;
  /** Its place among the rows, from 0, and in pixels. */
  readonly at: number;
  readonly top: number;
  readonly images: readonly FoundImage[];
  /** The result that the tab key stops at; -1 if it is in another row. */
  readonly current: number;
  /** Results by chance have no score worth telling. */
  readonly showScore: boolean;
  readonly acts: TileActs;
}

/** A row is drawn once, and not with every step of the scroll wheel. */
export class TileRow extends Component<TileRowProps> {
  override shouldComponentUpdate(next: TileRowProps): boolean {
    const keys = Object.keys(next) as (keyof TileRowProps)[];
    return keys.some(
      (key) =>
        next[key] !== this.props[key] &&
        // More results leave a row as it is, if it is the same row.
        !(key === 'images' && next.row.cells.every(({ at }) => next.images[at] === this.props.images[at])),
    );
  }

  render({ index, row, at, top, images, current, showScore, acts }: TileRowProps) {
    return (
      <div class="row" role="row" aria-rowindex={at + 1} style={{ transform: `translateY(${top}px)` }}>
        {row.cells.map((cell) => (
          <Tile
            key={images[cell.at]!.id}
            index={index}
            image={images[cell.at]!}
            cell={cell}
            height={row.height}
            isCurrent={cell.at === current}
            showScore={showScore}
            acts={acts}
          />
        ))}
      </div>
    );
  }
}

function Tile({
  index,
  image,
  cell: { at, left, width },
  height,
  isCurrent,
  showScore,
  acts,
}: {
  readonly index: string;
  readonly image: FoundImage;
  readonly cell: Cell;
  readonly height: number;
  readonly isCurrent: boolean;
  readonly showScore: boolean;
  readonly acts: TileActs;
}) {
  const name = visible(fileName(image.path ?? image.id));
  const link = api.originalLink(index, image.id);
  const copies = image.duplicates?.length ?? 0;
  return (
    <div role="gridcell" class="tile" data-at={at} style={{ left: `${left}px`, width: `${width}px` }}>
      <a
        class="picture"
        href={link ?? '#results'}
        tabIndex={isCurrent ? 0 : -1}
        aria-label={`${at + 1}: ${name}${showScore ? `, score ${score(image.score)}` : ''}${copies > 0 ? `, with ${copies} more of the same` : ''}`}
        aria-haspopup="dialog"
        style={{ height: `${height}px` }}
        onDragStart={(event) => event.dataTransfer?.setData('application/x-lincir-id', image.id)}
        onClick={(event) => {
          // The original opens in another tab for those who ask their browser so.
          if (link !== undefined && (event.ctrlKey || event.metaKey || event.shiftKey)) return;
          event.preventDefault();
          acts.open(image);
        }}
      >
        <Thumbnail
          key={image.id}
          index={index}
          id={image.id}
          name={name}
          width={width}
          proportions={proportionsOf(image)}
        />
      </a>
      <div class="tile-buttons">
        <button
          type="button"
          class="over"
          tabIndex={isCurrent ? 0 : -1}
          aria-label={`Use ${name} as reference`}
          title="Use as reference"
          onClick={() => acts.use(image)}
        >
          <Icon name="search" />
        </button>
        <button
          type="button"
          class="over"
          tabIndex={isCurrent ? 0 : -1}
          aria-label={`Actions for ${name}`}
          title="Actions"
          aria-haspopup="menu"
          aria-expanded="false"
          onClick={(event) => acts.menu(image, event.currentTarget)}
        >
          <Icon name="dots" />
        </button>
      </div>
      <p class="caption" aria-hidden="true">
        <span>{at + 1}</span>
        {copies > 0 && <span>+{copies}</span>}
        {showScore && <span>{score(image.score)}</span>}
      </p>
    </div>
  );
}
