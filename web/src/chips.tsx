/** Images of the query as chips: small pictures with their name, and buttons that move and remove them. */

import { useEffect, useRef, useState } from 'preact/hooks';
import { useApp } from './app.ts';
import { type Address, api } from './back-end.ts';
import { visible } from './display.ts';
import { sentence } from './failure.ts';
import { Icon } from './icons.tsx';
import { type MenuItem, useMenu } from './menu.tsx';
import { Picture } from './picture.tsx';
import { type ImageList, moveImage, type Reference, referenceKey, removeImage } from './query.ts';

const listNames = {
  images: 'Pictures of the query',
  more: 'More like these',
  less: 'Not like these',
} as const;

export function Chips({
  list,
  onInsert,
}: {
  readonly list: ImageList;
  readonly onInsert?: (name: string) => void;
}) {
  const { query } = useApp();
  const images = query[list];
  if (images.length === 0) return null;
  return (
    <ul class="chips" aria-label={listNames[list]}>
      {images.map((image, at) => (
        <li key={referenceKey(image)}>
          <Chip list={list} image={image} at={at} onInsert={onInsert} />
        </li>
      ))}
    </ul>
  );
}

function Chip({
  list,
  image,
  at,
  onInsert,
}: {
  readonly list: ImageList;
  readonly image: Reference;
  readonly at: number;
  readonly onInsert: ((name: string) => void) | undefined;
}) {
  const { query, change, pictures, route, index, announce } = useApp();
  const menu = useMenu();
  const [isForgotten, setIsForgotten] = useState(false);
  const again = useRef<HTMLInputElement>(null);
  const seen = 'upload' in image ? pictures.seen(image.upload) : undefined;
  const name = list === 'images' ? `$${at + 1}` : list === 'more' ? `more ${at + 1}` : `not ${at + 1}`;
  const count = query[list].length;
  const source = () =>
    'id' in image
      ? api.thumbnail(index.name, image.id, 160)
      : (seen?.preview ?? api.uploadThumbnail(image.upload));

  const move = (to: number) => {
    change((old) => moveImage(old, at, to));
    announce(`Moved. It is $${to + 1} now.`);
  };
  const remove = () => {
    change((old) => removeImage(old, list, at));
    announce(`${name} is removed.`);
    document.getElementById('words')?.focus();
  };
  const items = [
    onInsert && { label: `Insert ${name} into the words`, icon: 'plus', act: () => onInsert(name) },
    'id' in image && { label: 'Show large', icon: 'open', act: () => route.show(image.id) },
    list === 'images' && at > 0 && { label: 'Move left', icon: 'left', act: () => move(at - 1) },
    list === 'images' && at < count - 1 && { label: 'Move right', icon: 'right', act: () => move(at + 1) },
    { label: 'Remove', icon: 'close', act: remove },
  ].filter((item) => !!item) as MenuItem[];

  return (
    <div class={`chip ${list}${isForgotten ? ' forgotten' : ''}`}>
      <button
        type="button"
        class="chip-picture"
        aria-label={
          onInsert ? `${name}${seen ? `, ${visible(seen.name)}` : ''}: insert into the words` : name
        }
        title={onInsert ? `Insert ${name} into the words` : name}
        onClick={(event) =>
          onInsert ? onInsert(name) : menu.open(event.currentTarget, `Picture ${name}`, items)
        }
      >
        {list !== 'images' && <Icon name={list === 'more' ? 'plus' : 'minus'} />}
        <ChipPicture
          of={`${index.name} ${referenceKey(image)}`}
          source={source}
          onGone={() => setIsForgotten('upload' in image)}
        />
        {list === 'images' && <span class="chip-name">{name}</span>}
      </button>
      {isForgotten ? (
        <>
          <button type="button" class="link" onClick={() => again.current!.click()}>
            {sentence(`${api.self} has forgotten it`)} Give it again
          </button>
          <input
            ref={again}
            type="file"
            hidden
            accept="image/*"
            aria-label={`Picture for ${name}`}
            onChange={({ currentTarget: { files } }) =>
              files && pictures.give([...files].slice(0, 1), list, at)
            }
          />
        </>
      ) : (
        list === 'images' && (
          <button
            type="button"
            class="small square"
            aria-label={`Actions for ${name}`}
            aria-haspopup="menu"
            aria-expanded="false"
            onClick={(event) => menu.open(event.currentTarget, `Picture ${name}`, items)}
          >
            <Icon name="dots" />
          </button>
        )
      )}
      <button type="button" class="small square remove" aria-label={`Remove ${name}`} onClick={remove}>
        <Icon name="close" />
      </button>
      {menu.element}
    </div>
  );
}

/** Pictures on their way, and those that did not arrive. */
export function PendingChips({ list }: { readonly list: ImageList }) {
  const { pictures } = useApp();
  const pending = pictures.pending.filter((one) => one.list === list);
  if (pending.length === 0) return null;
  return (
    <ul class="chips" aria-label="Pictures on their way">
      {pending.map(({ key, file, preview, sent, failure }) => (
        <li key={key}>
          <div class={`chip${failure ? ' failed' : ' sending'}`}>
            <span class="chip-picture">
              <ChipPicture of={preview} source={() => preview} alt={visible(file.name)} />
            </span>
            {failure ? (
              <p class="problem" role="alert">
                <bdi>{failure.detail}</bdi> {failure.todo && <bdi>{failure.todo}</bdi>}{' '}
                <button type="button" class="link" onClick={() => pictures.retry(key)}>
                  Try again
                </button>
              </p>
            ) : (
              <progress
                aria-label={`Sending ${visible(file.name)}`}
                {...(sent > 0 && sent < 1 && { value: sent })}
                max={1}
              />
            )}
            <button
              type="button"
              class="small square remove"
              aria-label={`Remove ${visible(file.name)}`}
              onClick={() => pictures.dismiss(key)}
            >
              <Icon name="close" />
            </button>
          </div>
        </li>
      ))}
    </ul>
  );
}

function ChipPicture({
  of,
  source,
  alt = '',
  onGone,
}: {
  readonly of: string;
  readonly source: () => Address;
  readonly alt?: string;
  readonly onGone?: () => void;
}) {
  const [isGone, setIsGone] = useState(false);
  useEffect(() => setIsGone(false), [of]);
  if (isGone)
    return (
      <span class="no-picture">
        <Icon name="picture" />
      </span>
    );
  return (
    <Picture
      of={of}
      source={source}
      alt={alt}
      draggable={false}
      onError={() => {
        setIsGone(true);
        onGone?.();
      }}
    />
  );
}
