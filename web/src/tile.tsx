/** One result: its picture, rank and score, and the buttons for what one can do with it. */

import type { FoundImage } from '../../src/api/index.ts';
import { api } from './api.ts';
import { fileName, proportionsOf, score, visible } from './display.ts';
import { Icon } from './icons.tsx';
import { Thumbnail } from './thumbnail.tsx';

export interface TileProps {
  readonly index: string;
  readonly image: FoundImage;
  /** From 0. */
  readonly at: number;
  readonly left: number;
  readonly width: number;
  readonly height: number;
  /** Whether the tab key stops here. */
  readonly isCurrent: boolean;
  /** Results by chance have no score worth telling. */
  readonly showScore: boolean;
  readonly onOpen: (at: number) => void;
  readonly onUse: (image: FoundImage) => void;
  readonly onMenu: (image: FoundImage, button: HTMLElement) => void;
}

export function Tile(props: TileProps) {
  const { index, image, at, left, width, height, isCurrent, showScore, onOpen, onUse, onMenu } = props;
  const name = visible(fileName(image.path ?? image.id));
  const copies = image.duplicates?.length ?? 0;
  return (
    <div role="gridcell" class="tile" data-at={at} style={{ left: `${left}px`, width: `${width}px` }}>
      <a
        class="picture"
        href={api.original(index, image.id)}
        tabIndex={isCurrent ? 0 : -1}
        aria-label={`${at + 1}: ${name}${showScore ? `, score ${score(image.score)}` : ''}${copies > 0 ? `, with ${copies} more of the same` : ''}`}
        aria-haspopup="dialog"
        style={{ height: `${height}px` }}
        onDragStart={(event) => event.dataTransfer?.setData('application/x-lincir-id', image.id)}
        onClick={(event) => {
          // The original opens in another tab for those who ask their browser so.
          if (event.ctrlKey || event.metaKey || event.shiftKey) return;
          event.preventDefault();
          onOpen(at);
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
          onClick={() => onUse(image)}
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
          onClick={(event) => onMenu(image, event.currentTarget)}
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
