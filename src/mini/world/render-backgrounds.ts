/** The places of the miniature world as SVG, on a field of 64 by 64. */

import type { Background } from './scene.ts';

/** Elements that fill the field. The numbers move things such as clouds. */
export function backgroundSvg(background: Background, random: () => number): string {
  return drawings[background](random);
}

type Drawing = (random: () => number) => string;

const drawings: Readonly<Record<Background, Drawing>> = {
  sky: (random) => gradient('#86c8fb', '#d9f1ff') + [12, 34, 54].map((y) => cloud(random() * 64, y)).join(''),
  beach: (random) =>
    field('#f5e2b3') +
    `<path d="M0 0H64V11Q56 14 48 11T32 11T16 11T0 11Z" fill="#6fc3d6"/>` +
    `<path d="M0 11Q8 8 16 11T32 11T48 11T64 11" fill="none" stroke="#fff" stroke-width="1.6"/>` +
    many(26, random, (x, y) => `<circle cx="${x}" cy="${16 + 0.75 * y}" r=".6" fill="#d9bd7c"/>`),
  night: (random) =>
    gradient('#0c1238', '#343a80') +
    many(22, random, (x, y) => `<circle cx="${x}" cy="${y}" r="${0.4 + 0.4 * random()}" fill="#fff6cf"/>`),
  meadow: (random) =>
    gradient('#c3e88d', '#9ad26a') +
    many(
      26,
      random,
      (x, y) => `<path d="M${x} ${y}l-1 -3m1 3l1.4 -2.6" stroke="#6fae45" stroke-width=".8" fill="none"/>`,
    ) +
    many(7, random, (x, y) => `<circle cx="${x}" cy="${y}" r=".9" fill="#fff"/>`),
  snow: (random) =>
    field('#f7fafd') +
    '<path d="M0 46Q16 36 34 46T64 44V64H0Z" fill="#e3ecf5"/>' +
    many(22, random, (x, y) => `<circle cx="${x}" cy="${y}" r=".9" fill="#b9cfe4"/>`),
  wood: (random) =>
    field('#d3a673') +
    [0, 16, 32, 48]
      .map((y) => {
        const joint = 8 + random() * 48;
        return (
          `<path d="M0 ${y}H64M${joint} ${y}v16" stroke="#a97a48" stroke-width="1"/>` +
          `<path d="M0 ${y + 6}q16 3 32 0t32 0M0 ${y + 11}q12 -2 28 0t36 0" stroke="#c39360" stroke-width=".8" fill="none"/>`
        );
      })
      .join(''),
  sea: (random) =>
    gradient('#4fb9c4', '#2f93ab') +
    [6, 15, 24, 33, 42, 51, 60]
      .map(
        (y) =>
          `<path d="M${-8 * random()} ${y}q4 -4 8 0t8 0t8 0t8 0t8 0t8 0t8 0t8 0t8 0" stroke="#9fdfe4" stroke-width="1" fill="none"/>`,
      )
      .join(''),
  sunset: (random) => {
    const x = 12 + 40 * random();
    return (
      '<defs><linearGradient id="place" x2="0" y2="1"><stop stop-color="#8a6fb0"/>' +
      '<stop offset=".45" stop-color="#f2a0a0"/><stop offset=".8" stop-color="#ffd79a"/></linearGradient></defs>' +
      '<rect width="64" height="64" fill="url(#place)"/>' +
      `<circle cx="${x}" cy="55" r="9" fill="#fff0bd"/><rect y="55" width="64" height="9" fill="#5d4a7d"/>`
    );
  },
};

function field(colour: string): string {
  return `<rect width="64" height="64" fill="${colour}"/>`;
}

function gradient(top: string, bottom: string): string {
  const stops = `<stop stop-color="${top}"/><stop offset="1" stop-color="${bottom}"/>`;
  return `<defs><linearGradient id="place" x2="0" y2="1">${stops}</linearGradient></defs>${field('url(#place)')}`;
}

function cloud(x: number, y: number): string {
  const puffs = [
    [-5, 1, 3.4],
    [0, -1, 4.6],
    [5, 1, 3.2],
  ] as const;
  return puffs
    .map(([dx, dy, r]) => `<circle cx="${(x + dx).toFixed(2)}" cy="${y + dy}" r="${r}" fill="#fff"/>`)
    .join('');
}

function many(count: number, random: () => number, mark: (x: number, y: number) => string): string {
  const place = () => Math.round(640 * random()) / 10;
  return Array.from({ length: count }, () => mark(place(), place())).join('');
}
