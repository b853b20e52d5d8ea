/** The demo's page: queries in the miniature world, their results, and a comparison of methods. */

import { dataUrl, definitions, escapeHtml, page, table } from '../../src/html/index.ts';
import type { ChangeKind } from '../../src/mini/world/changes.ts';
import { sceneSvg } from '../../src/mini/world/render.ts';
import type { Scene } from '../../src/mini/world/scene.ts';
import { demoPageStyle } from './style.ts';

/** An image of the gallery, drawn for people. */
interface DemoImage {
  readonly scene: Scene;
  readonly variant: number;
}

/** A query, with the first results of two methods. */
export interface DemoQuery {
  readonly kind: ChangeKind;
  readonly reference: DemoImage;
  /** The words after `that`. */
  readonly text: string;
  readonly found: readonly { readonly method: string; readonly pictures: readonly FoundImage[] }[];
}

export type FoundImage = DemoImage & { readonly isRight: boolean };

interface DemoPage {
  /** Figures in percent, by method and metric. */
  readonly methods: readonly { readonly name: string; readonly figures: Readonly<Record<string, number>> }[];
  readonly queries: readonly DemoQuery[];
  readonly facts: Readonly<Record<string, string>>;
}

/** In pixels. The images are drawings, and scale. */
const side = 96;

const kindNames: Readonly<Record<ChangeKind, string>> = {
  colour: 'Another colour',
  shape: 'Another shape',
  texture: 'Another texture',
  size: 'Another size',
  number: 'More or fewer',
  position: 'Somewhere else in the image',
  background: 'Another place',
  add: 'Something added',
  remove: 'Something taken away',
  two: 'Two changes at once',
};

/** The page. It needs no other file and runs no script. */
export function demoPage({ methods, queries, facts }: DemoPage): string {
  const byKind = Map.groupBy(queries, ({ kind }) => kind);
  const sections = [...byKind].map(
    ([kind, own]) =>
      `<section><h2>${kindNames[kind]}</h2><div class="queries">${own.map(queryOf).join('\n')}</div></section>`,
  );
  return page({
    title: 'lincir: an image and a few words',
    style: demoPageStyle,
    body: [
      '<header><h1>An image and a few words</h1>',
      '<p class="lead">Each query is an image and what should be different. phi has learnt from captions alone, without seeing an image, to turn an image into a word; the word stands in a sentence, and the images nearest to that sentence come first. Right answers are framed in green.</p>',
      definitions('facts', Object.entries(facts)),
      '</header>',
      tableOf(methods),
      ...sections,
      '<footer>Made by lincir. The first queries of each kind are shown, whatever came of them.</footer>',
    ],
  });
}

function tableOf(methods: DemoPage['methods']): string {
  const metrics = Object.keys(methods[0]!.figures);
  const best = metrics.map((metric) => Math.max(...methods.map(({ figures }) => figures[metric]!)));
  const rows = methods.map(({ name, figures }) => {
    const cells = metrics.map((metric, at) => {
      const value = figures[metric]!;
      const text = value.toFixed(1);
      return `<td>${value === best[at] ? `<b>${text}</b>` : text}</td>`;
    });
    return `<tr><th scope="row">${escapeHtml(name)}</th>${cells.join('')}</tr>`;
  });
  const heads = ['Method', ...metrics].map((text) => `<th scope="col">${escapeHtml(text)}</th>`);
  return table('figures', 'Figures by method and metric', heads, rows);
}

function queryOf({ reference, text, found }: DemoQuery): string {
  const rows = found.map(
    ({ method, pictures }) =>
      `<div class="found"><h4>${escapeHtml(method)}</h4><ol>${pictures
        .map(
          (picture) =>
            `<li${picture.isRight ? ' class="right"' : ''}>${imageOf(picture, picture.isRight ? 'a right answer' : '')}</li>`,
        )
        .join('')}</ol></div>`,
  );
  return [
    '<article>',
    `<div class="asked">${imageOf(reference, 'the reference')}<p>${imageOf(reference, '$', 'chip')} that <strong>${escapeHtml(text)}</strong></p></div>`,
    ...rows,
    '</article>',
  ].join('\n');
}

function imageOf({ scene, variant }: DemoImage, alternative: string, style = ''): string {
  const source = dataUrl('svg+xml', Buffer.from(sceneSvg(scene, side, variant)));
  return `<img${style && ` class="${style}"`} src="${source}" width="${side}" height="${side}" alt="${alternative}">`;
}
