/** Renders images of scenes as SVG. */

import { sequence } from '../../core/index.ts';
import { backgroundSvg } from './render-backgrounds.ts';
import {
  type Colour,
  hashOf,
  orderedScene,
  type Scene,
  type SceneObject,
  type Shape,
  sceneKey,
  type Texture,
} from './scene.ts';

/**
 * An image of a scene as an SVG document, `side` pixels wide and high, the same at each call. Variants show the scene with
 * its things moved and turned a little.
 */
export function sceneSvg(scene: Scene, side = 64, variant = 0): string {
  const { background, objects } = orderedScene(scene);
  const random = sequence({ seed: hashOf(sceneKey(scene)), purpose: 'scene', moment: variant, row: 0 });
  const place = backgroundSvg(background, random);
  const upright = objects.every(({ position }) => ['left', 'centre', 'right'].includes(position));
  const isCentral = objects.length === 1 && objects[0]!.position === 'centre';
  // A single group in the centre stands side by side.
  const inColumns = upright && !isCentral;
  const patterns = objects.map((object, at) => patternSvg(object, `t${at}`)).join('');
  const drawn = objects
    .map((object, at) => objectSvg(object, { inColumns, isCentral }, `t${at}`, random))
    .join('');
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${side}" height="${side}" viewBox="0 0 64 64">` +
    `${place}<defs>${patterns}</defs>${drawn}</svg>`
  );
}

/** A colour's fill, and its edge, which sets it off from every background. */
const paints: Readonly<Record<Colour, { readonly fill: string; readonly edge: string }>> = {
  red: { fill: '#e5202c', edge: '#8d0b1c' },
  orange: { fill: '#ff7f11', edge: '#a94600' },
  yellow: { fill: '#ffdc1f', edge: '#a87600' },
  green: { fill: '#12993d', edge: '#05521f' },
  blue: { fill: '#1f5cf0', edge: '#0b2a86' },
  purple: { fill: '#8a2fd0', edge: '#461277' },
  pink: { fill: '#ff5fb6', edge: '#b01a70' },
  black: { fill: '#15151b', edge: '#7d7d8a' },
};

/** Lines of the 3 × 3 grid of things in a field of 64, across and down. */
const [first, middle, last] = [10.5, 31.5, 52.5] as const;

/** Radii of the circle around a thing, in a field of 64. */
const radii = { small: 6, large: 8.6 } as const;

/** Around the origin, about as large as a circle of radius 1. */
const outlines: Readonly<Record<Shape, string>> = {
  circle: 'M1 0A1 1 0 1 1 -1 0A1 1 0 1 1 1 0Z',
  square: 'M-.88 -.88H.88V.88H-.88Z',
  triangle: 'M0 -1.1L1.12 .9H-1.12Z',
  star: polygon(10, (point) => (point % 2 === 0 ? 1.22 : 0.52)),
  heart:
    'M0 1.05C-1.5 -.05 -1.2 -1 -.58 -1C-.25 -1 -.05 -.8 0 -.55C.05 -.8 .25 -1 .58 -1C1.2 -1 1.5 -.05 0 1.05Z',
  diamond: 'M0 -1.25L.85 0L0 1.25L-.85 0Z',
  moon: 'M.45 -1.02A1.1 1.1 0 1 0 .45 1.02A1.25 1.25 0 0 1 .45 -1.02Z',
  cross: 'M-.4 -1.05H.4V-.4H1.05V.4H.4V1.05H-.4V.4H-1.05V-.4H-.4Z',
};

/** Patterns of stripes, dots and squares, and the size of a tile, in units of the radius. */
const marks: Readonly<Record<Exclude<Texture, 'plain'>, { readonly tile: number; readonly path: string }>> = {
  striped: { tile: 0.66, path: 'M0 0H.66V.3H0Z' },
  dotted: { tile: 0.62, path: 'M.5 .31A.19 .19 0 1 1 .12 .31A.19 .19 0 1 1 .5 .31Z' },
  checked: { tile: 1, path: 'M0 0H.5V.5H0ZM.5 .5H1V1H.5Z' },
};

function patternSvg({ texture, colour, size }: SceneObject, id: string): string {
  if (texture === 'plain') return '';
  const { tile, path } = marks[texture];
  const { fill, edge } = paints[colour];
  const ink = colour === 'yellow' ? edge : '#fff';
  const turn = {
    striped: ' patternTransform="rotate(-45)"',
    // A dot in the middle. Small things have few, large dots, which are still visible in 64 pixels.
    dotted: ` patternTransform="scale(${size === 'small' ? 1.3 : 1}) translate(${tile / 2} ${tile / 2})"`,
    checked: '',
  }[texture];
  return (
    `<pattern id="${id}" width="${tile}" height="${tile}" patternUnits="userSpaceOnUse"${turn}>` +
    `<rect width="${tile}" height="${tile}" fill="${fill}"/><path d="${path}" fill="${ink}"/></pattern>`
  );
}

/** The group's things in a row across the line of the scene's objects. */
function objectSvg(
  object: SceneObject,
  { inColumns, isCentral }: { readonly inColumns: boolean; readonly isCentral: boolean },
  pattern: string,
  random: () => number,
): string {
  const { position, number, shape, size, colour, texture } = object;
  const along = { left: first, top: first, centre: middle, bottom: last, right: last }[position];
  const spread = { 1: [middle], 2: isCentral ? [21, 42] : [first, last], 3: [first, middle, last] }[number];
  const drift = number === 1 ? 2 : 0.8;
  const fill = texture === 'plain' ? paints[colour].fill : `url(#${pattern})`;
  return spread
    .map((across) => {
      const main = along + 1.6 * (random() - 0.5);
      const other = across + 2 * drift * (random() - 0.5);
      const [x, y] = inColumns ? [main, other] : [other, main];
      const turn = shape === 'diamond' || shape === 'cross' ? 0 : 14 * (random() - 0.5);
      const frame = `translate(${x.toFixed(2)} ${y.toFixed(2)}) rotate(${turn.toFixed(1)}) scale(${radii[size]})`;
      const outline = outlines[shape];
      const edge = `stroke="${paints[colour].edge}" stroke-width="${(0.9 / radii[size]).toFixed(3)}" stroke-linejoin="round"`;
      const shadow = `<path d="${outline}" transform="translate(.6 .9) ${frame}" fill="#000" fill-opacity=".28"/>`;
      return `${shadow}<path d="${outline}" transform="${frame}" fill="${fill}" ${edge}/>`;
    })
    .join('');
}

function polygon(points: number, radius: (point: number) => number): string {
  const corners = Array.from({ length: points }, (_, point) => {
    const angle = (2 * Math.PI * point) / points - Math.PI / 2;
    return `${(radius(point) * Math.cos(angle)).toFixed(3)} ${(radius(point) * Math.sin(angle)).toFixed(3)}`;
  });
  return `M${corners.join('L')}Z`;
}
