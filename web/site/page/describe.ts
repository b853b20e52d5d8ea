/** Scenes in words, for people who do not see them. */

import type { Scene } from '../../../src/mini/portable.ts';

/** `At sunset: two small red stars on the left, a large striped blue circle in the centre`. */
export function describe({ background, objects }: Scene): string {
  const things = objects.map(({ number, size, texture, colour, shape, position }) => {
    const kind = [
      size,
      ...(texture === 'plain' ? [] : [texture]),
      colour,
      number === 1 ? shape : plural(shape),
    ];
    return `${{ 1: 'a', 2: 'two', 3: 'three' }[number]} ${kind.join(' ')} ${places[position]}`;
  });
  return `${grounds[background]}: ${things.join(', ')}`;
}

export const grounds: Readonly<Record<Scene['background'], string>> = {
  sky: 'In the sky',
  beach: 'On a beach',
  night: 'At night',
  meadow: 'In a meadow',
  snow: 'In the snow',
  wood: 'On wood',
  sea: 'In the sea',
  sunset: 'At sunset',
};

export const places: Readonly<Record<Scene['objects'][number]['position'], string>> = {
  left: 'on the left',
  top: 'at the top',
  centre: 'in the centre',
  bottom: 'at the bottom',
  right: 'on the right',
};

export function plural(shape: string): string {
  return shape === 'cross' ? 'crosses' : `${shape}s`;
}
