/** What one can do with an image of the index: the same in menus, by keys, and beside the large image. */

import type { IndexedImage } from '../../src/api/index.ts';
import { type App, useApp } from './app.ts';
import { type Address, api } from './back-end.ts';
import { fileName, visible } from './display.ts';
import { asFailure } from './failure.ts';
import { narrowed } from './filter.ts';
import type { MenuItem } from './menu.tsx';
import { addImages, mostImages, startFrom } from './query.ts';

export type ImageAction = MenuItem & { readonly shortcut: string };

/** In the order of a menu. */
export function useActions(): (image: IndexedImage) => ImageAction[] {
  const app = useApp();
  return (image) => actionsFor(app, image);
}

function actionsFor(app: App, { id, path, folder }: IndexedImage): ImageAction[] {
  const { query, change, announce, notify, index } = app;
  const isIn = (list: 'images' | 'more' | 'less') => query[list].some((one) => 'id' in one && one.id === id);
  const actions: (ImageAction | false)[] = [
    {
      label: 'Use as reference',
      icon: 'search',
      shortcut: 'U',
      act: () => change((old) => startFrom(old, { id })),
    },
    query.images.length > 0 &&
      query.images.length < mostImages &&
      !isIn('images') && {
        label: `Add as $${query.images.length + 1}`,
        icon: 'picture',
        shortcut: 'A',
        act: () => change((old) => addImages(old, 'images', [{ id }])),
      },
    !isIn('more') && {
      label: 'More like this',
      icon: 'plus',
      shortcut: 'M',
      act: () => change((old) => addImages(old, 'more', [{ id }])),
    },
    !isIn('less') && {
      label: 'Not this',
      icon: 'minus',
      shortcut: 'N',
      act: () => change((old) => addImages(old, 'less', [{ id }])),
    },
    {
      label: 'Open original',
      icon: 'open',
      shortcut: 'O',
      apart: true,
      act: () => openOriginal(api.original(index.name, id), notify),
    },
    path !== undefined && {
      label: 'Copy path',
      icon: 'copy',
      shortcut: 'C',
      act: () => {
        void navigator.clipboard.writeText(path).then(
          () => notify('The path is copied.'),
          () => notify(`The browser did not let the page copy. The path is ${visible(path)}`),
        );
      },
    },
    folder !== undefined &&
      index.columns.some(({ name }) => name === 'folder') && {
        label: `Show only folder “${visible(fileName(folder) || folder)}”`,
        icon: 'folder',
        shortcut: 'F',
        act: () => {
          change((old) => ({
            ...old,
            filter: narrowed(old.filter, { column: 'folder', operator: 'is', value: folder }, index.columns),
          }));
          announce('Filtered to one folder.');
        },
      },
  ];
  return actions.filter((action) => action !== false);
}

/** Does what a key asks for. True if it did. */
export function actByKey(actions: readonly ImageAction[], event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  const action = actions.find(({ shortcut }) => shortcut === event.key.toUpperCase());
  action?.act();
  return action !== undefined;
}

function openOriginal(address: Address, notify: (message: string) => void): void {
  if (typeof address === 'string') open(address, '_blank', 'noopener');
  else
    address.then(
      (there) => open(there, '_blank', 'noopener'),
      (error: unknown) => notify(asFailure(error).detail),
    );
}
