/** Pictures for calibration, drawn from random numbers: the same on every machine, and of no user. */

import { type RandomStream, sequence } from '../../core/index.ts';
import type { RgbImage } from '../../pixels/index.ts';

type Color = readonly [number, number, number];
/** The colour at a place, where both coordinates are from 0 to 1. */
type Paint = (x: number, y: number) => Color;

/** How many of them calibrate a tower. */
export const picturesToCalibrate = 8;

const side = 256;
/** Cells on a side of each layer of noise, and how strong it is: coarse noise is strong, as in photos. */
const octaves = [2, 4, 8, 16, 32, 64].map((cells) => ({ cells, strength: 1 / cells ** 0.8 }));

/** Photos have large even areas, smooth changes, edges and texture. Each of these pictures has some of each. */
export function calibrationPictures(count: number): RgbImage[] {
  return Array.from({ length: count }, (_, row) => {
    const random = sequence({ seed: 0, purpose: 'calibration', moment: 0, row } satisfies RandomStream);
    return drawn(random);
  });
}

function drawn(random: () => number): RgbImage {
  const [contrast, brightness] = [0.3 + 1.4 * random(), 0.15 + 0.7 * random()];
  const background = random() < 0.5 ? gradient(random) : texture(random);
  const shapes = Array.from({ length: 2 + Math.floor(8 * random()) }, () => shape(random));
  const data = new Uint8Array(side * side * 3);
  for (let place = 0; place < side * side; place++) {
    const [x, y] = [(place % side) / side, Math.floor(place / side) / side];
    const paint = shapes.findLast(({ covers }) => covers(x, y))?.paint ?? background;
    for (const [channel, value] of paint(x, y).entries()) {
      const level = brightness + contrast * (value - 0.5);
      data[3 * place + channel] = Math.round(255 * Math.min(Math.max(level, 0), 1));
    }
  }
  return { data, width: side, height: side };
}

/** An ellipse, a rectangle or stripes, of one colour, a gradient or a texture. */
function shape(random: () => number): { covers: (x: number, y: number) => boolean; paint: Paint } {
  const [atX, atY] = [random(), random()];
  const [width, height] = [0.03 + 0.4 * random() ** 2, 0.03 + 0.4 * random() ** 2];
  const paints = [flat, gradient, texture, texture];
  const paint = paints[Math.floor(paints.length * random())]!(random);
  const kind = random();
  const stripes = 4 + Math.floor(40 * random());
  const covers = (x: number, y: number): boolean => {
    const [dx, dy] = [Math.abs(x - atX) / width, Math.abs(y - atY) / height];
    if (kind < 0.45) return dx * dx + dy * dy < 1;
    return dx < 1 && dy < 1 && (kind < 0.85 || Math.floor(stripes * (x + y)) % 2 === 0);
  };
  return { covers, paint };
}

function flat(random: () => number): Paint {
  const color = colorOf(random);
  return () => color;
}

function gradient(random: () => number): Paint {
  const [from, to, slope] = [colorOf(random), colorOf(random), random()];
  return (x, y) => mixed(from, to, slope * x + (1 - slope) * y);
}

/** Value noise of several scales between two colours. */
function texture(random: () => number): Paint {
  const [from, to] = [colorOf(random), colorOf(random)];
  const roughness = 0.5 + 1.5 * random();
  const layers = octaves.map(({ cells, strength }) => {
    const grid = Float32Array.from({ length: (cells + 1) ** 2 }, () => random() - 0.5);
    return { cells, grid, strength: strength ** (1 / roughness) };
  });
  return (x, y) => {
    const sum = layers.reduce((total, { cells, grid, strength }) => {
      return total + strength * interpolated(grid, cells, x * cells, y * cells);
    }, 0.5);
    return mixed(from, to, Math.min(Math.max(sum, 0), 1));
  };
}

/** Bilinear, between the corners of cells. */
function interpolated(grid: Float32Array, cells: number, x: number, y: number): number {
  const [column, row] = [Math.floor(x), Math.floor(y)];
  const [right, down] = [x - column, y - row];
  const at = row * (cells + 1) + column;
  const above = grid[at]! * (1 - right) + grid[at + 1]! * right;
  const below = grid[at + cells + 1]! * (1 - right) + grid[at + cells + 2]! * right;
  return above * (1 - down) + below * down;
}

function colorOf(random: () => number): Color {
  return [random(), random(), random()];
}

function mixed(a: Color, b: Color, share: number): Color {
  return [a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share, a[2] + (b[2] - a[2]) * share];
}
