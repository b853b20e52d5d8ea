/** Draws the example images, so the project ships its own: `node examples/draw.ts`. */

import { join } from 'node:path';
import sharp from 'sharp';

const gradient = (id: string, top: string, bottom: string): string =>
  `<linearGradient id="${id}" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="${top}"/><stop offset="1" stop-color="${bottom}"/></linearGradient>`;

const sailboat = (sail: string): string => `
  <path d="M90 170 h140 l-26 34 h-88 z" fill="#5b3a29"/><rect x="156" y="52" width="5" height="120" fill="#3b2a20"/>
  <path d="M165 56 q58 54 54 106 h-54 z" fill="${sail}"/><path d="M152 70 q-44 46 -44 92 h44 z" fill="${sail}" opacity=".85"/>`;

const house = (roof: string): string => `
  <rect x="98" y="112" width="124" height="88" fill="#f4ead8"/><path d="M84 116 L160 56 L236 116 z" fill="${roof}"/>
  <rect x="146" y="150" width="30" height="50" rx="3" fill="#7a4b2a"/><rect x="110" y="130" width="26" height="26" fill="#9fd0ea"/>
  <rect x="186" y="130" width="26" height="26" fill="#9fd0ea"/>`;

const cat = `
  <ellipse cx="160" cy="166" rx="46" ry="40" fill="#26232b"/><circle cx="160" cy="108" r="32" fill="#26232b"/>
  <path d="M132 96 l2 -36 l24 20 z M188 96 l-2 -36 l-24 20 z" fill="#26232b"/>
  <circle cx="148" cy="106" r="6" fill="#f5d442"/><circle cx="172" cy="106" r="6" fill="#f5d442"/>
  <path d="M204 180 q44 -6 34 -50" stroke="#26232b" stroke-width="12" fill="none" stroke-linecap="round"/>`;

const sea = `<rect width="320" height="240" fill="url(#sky)"/><rect y="176" width="320" height="64" fill="url(#sea)"/>`;
const meadow = `<rect width="320" height="240" fill="url(#sky)"/><path d="M0 196 q160 -34 320 0 v44 h-320 z" fill="#6aa84f"/>`;
const room = `<rect width="320" height="240" fill="#e9dcc9"/><rect y="196" width="320" height="44" fill="#b58a63"/>`;

const day = gradient('sky', '#8ecae6', '#e8f6fd') + gradient('sea', '#2a7fae', '#144d6e');
const dusk = gradient('sky', '#3d2c6d', '#f3935f') + gradient('sea', '#7a4a6b', '#2a1c44');

/** Name of the file, and what is drawn. */
const pictures: Readonly<Record<string, string>> = {
  'white-sailboat-by-day.jpg': `<defs>${day}</defs>${sea}${sailboat('#ffffff')}`,
  'red-sailboat-by-day.jpg': `<defs>${day}</defs>${sea}${sailboat('#d64545')}`,
  'white-sailboat-at-dusk.jpg': `<defs>${dusk}</defs>${sea}<circle cx="64" cy="150" r="20" fill="#ffd27d"/>${sailboat('#fdf3e3')}`,
  'house-with-red-roof.png': `<defs>${day}</defs>${meadow}${house('#c0392b')}`,
  'house-with-blue-roof.png': `<defs>${day}</defs>${meadow}${house('#2c6fbb')}`,
  'black-cat-indoors.webp': `${room}${cat}`,
};

for (const [name, drawing] of Object.entries(pictures)) {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="320" height="240">${drawing}</svg>`;
  await sharp(Buffer.from(svg))
    .flatten()
    .toFile(join(import.meta.dirname, 'pictures', name));
}
