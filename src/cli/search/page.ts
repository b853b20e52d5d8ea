/** Shows a composed query and its ranked images on one HTML page that opens from disk. */

import sharp from 'sharp';
import { promptParts } from '../../composition/index.ts';
import { formatCount, formatCounted, formatDuration } from '../../core/index.ts';
import { dataUrl, definitions, escapeHref, escapeHtml, frameRatio, page } from '../../html/index.ts';
import { resultsPageStyle } from './style.ts';

export interface PageInput {
  /** Title of the browser's tab, and the page's heading if there is no prompt. */
  readonly title: string;
  /** `$` stands for the reference images; `$1`, `$2`, … for each one. */
  readonly prompt?: string;
  /** Terms and values of the request besides images and words, such as the method. */
  readonly asked: Readonly<Record<string, string>>;
  readonly index: string;
  readonly model: string;
  /** In the order of `$1`, `$2`, … */
  readonly references: readonly ReferenceImage[];
  /** Shown in the order given. */
  readonly results: readonly RankedImage[];
  /** How many images the query was compared with. */
  readonly searched: number;
  readonly milliseconds: number;
}

interface ReferenceImage {
  readonly label: string;
  /** JPEG, WebP or PNG, as all thumbnails here. */
  readonly thumbnail: Uint8Array | undefined;
}

export interface RankedImage {
  readonly rank: number;
  readonly score: number;
  readonly path: string;
  /** Link of the image. Used only if it begins with file:, http: or https:. */
  readonly href?: string;
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
  readonly thumbnail: Uint8Array | undefined;
  /** Duplicates that this image stands for. */
  readonly duplicates?: readonly Pick<RankedImage, 'path' | 'href'>[];
  /** Whether it is a right answer of a benchmark. */
  readonly marked?: boolean;
}

/** The page. It needs no other file and runs no script. A thumbnail in a format that no browser shows counts as missing. */
export async function resultsPage(input: PageInput): Promise<string> {
  const { title, results } = input;
  const references = await Promise.all(
    input.references.map(async ({ label, thumbnail }) => ({ label, image: await embedded(thumbnail) })),
  );
  const images = await Promise.all(results.map(({ thumbnail }) => embedded(thumbnail)));
  const chips = references.map(({ image }, index) =>
    image ? `.reference-${index + 1} { background-image: url("${image.url}"); }` : '',
  );
  return page({
    title,
    style: `${resultsPageStyle}.results { --ratio: ${frameRatio(images.filter((image) => image !== undefined))}; }\n${chips.join('\n')}`,
    body: [header(input, references), resultsList(results, images), '<footer>Made by lincir.</footer>'],
  });
}

/** How many details are shown below an image. A click opens the others. */
const detailsShown = 3;

interface EmbeddedImage {
  readonly url: string;
  readonly width: number;
  readonly height: number;
}

interface Reference {
  readonly label: string;
  readonly image: EmbeddedImage | undefined;
}

async function embedded(bytes: Uint8Array | undefined): Promise<EmbeddedImage | undefined> {
  if (bytes === undefined) return undefined;
  try {
    const { format, autoOrient } = await sharp(bytes).metadata();
    if (!['jpeg', 'webp', 'png'].includes(format)) return undefined;
    return { url: dataUrl(format, bytes), ...autoOrient };
  } catch {
    return undefined;
  }
}

function header(input: PageInput, references: readonly Reference[]): string {
  const { title, prompt, asked, index, model, results, searched, milliseconds } = input;
  const figures = references.map(({ label, image }, position) => {
    const number = references.length > 1 ? `<b>${position + 1}</b>` : '';
    return [
      `<figure>\n<div class="picture">${imageOf(image, `Reference image: ${label}`)}</div>`,
      `<figcaption title="${escapeHtml(label)}">${number}<bdi>${escapeHtml(split(label).name)}</bdi></figcaption>\n</figure>`,
    ].join('\n');
  });
  const facts = { ...asked, Model: model, Index: index };
  return [
    '<header>',
    ...(figures.length > 0 ? ['<div class="references">', ...figures, '</div>'] : []),
    '<div class="query">',
    `<h1>${prompt === undefined ? `<bdi>${escapeHtml(title)}</bdi>` : sentence(prompt, references)}</h1>`,
    `<p class="found">${countText(results.length, searched)}, found in ${formatDuration(milliseconds / 1000)}</p>`,
    definitions('facts', Object.entries(facts)),
    '</div>\n</header>',
  ].join('\n');
}

function countText(count: number, searched: number): string {
  const pictures = formatCounted(searched, 'images');
  return `<strong>The ${count === 1 ? '' : `${formatCount(count)} `}best</strong> of ${pictures}`;
}

/** The prompt, with an image in place of each `$`. A `$3` without a third image is a price. */
function sentence(prompt: string, references: readonly Reference[]): string {
  const parts = promptParts(prompt, references.length).map((part) => {
    if (typeof part === 'string') return escapeHtml(part);
    const { name, picture } = part;
    if (picture === undefined) return references.map((_, index) => chip(references, index)).join('') || name;
    return picture >= 1 && picture <= references.length ? chip(references, picture - 1) : name;
  });
  return `<bdi>${parts.join('')}</bdi>`;
}

function chip(references: readonly Reference[], index: number): string {
  const { label, image } = references[index]!;
  const place = `$${references.length > 1 ? index + 1 : ''}`;
  if (image === undefined) return `<span class="chip" title="${escapeHtml(label)}">${place}</span>`;
  const name = escapeHtml(label);
  const picture = `<span class="chip pictured reference-${index + 1}" role="img" aria-label="${name}" title="${name}"></span>`;
  return references.length > 1 ? `<span class="numbered">${picture}<sub>${index + 1}</sub></span>` : picture;
}

function resultsList(results: PageInput['results'], images: readonly (EmbeddedImage | undefined)[]): string {
  if (results.length === 0) return '<p class="empty">No image was found.</p>';
  return [
    `<ol class="results${results.length <= 3 ? ' few' : ''}">`,
    ...results.map((result, position) => card(result, images[position])),
    '</ol>',
  ].join('\n');
}

function card(result: RankedImage, image: EmbeddedImage | undefined): string {
  const { rank, score, path, href, details, duplicates = [], marked = false } = result;
  const { name, folder } = split(path);
  const full = escapeHtml(path);
  const mark = marked ? '<span class="mark">✓ right answer</span>' : '';
  const label = `${rank}: ${name}`;
  const picture = `${imageOf(image, label)}${mark}`;
  return [
    `<li${marked ? ' class="marked"' : ''}>`,
    isLink(href)
      ? `<a class="picture" href="${escapeHref(href)}" title="${full}" aria-label="${escapeHtml(label)}">${picture}</a>`
      : `<div class="picture" title="${full}">${picture}</div>`,
    `<p class="place"><span class="rank">${rank}</span><span class="score">${scoreText(score)}</span></p>`,
    `<p class="name" title="${full}"><bdi>${escapeHtml(name)}</bdi></p>`,
    folder === '' ? '' : `<p class="folder" title="${full}"><bdi>${escapeHtml(folder)}</bdi></p>`,
    detailsOf(Object.entries(details)),
    duplicatesOf(duplicates),
    '</li>',
  ].join('\n');
}

function imageOf(image: EmbeddedImage | undefined, alternative: string): string {
  if (image === undefined) return '<span class="missing">no preview</span>';
  const { url, width, height } = image;
  return `<img src="${url}" width="${width}" height="${height}" alt="${escapeHtml(alternative)}" decoding="async">`;
}

function detailsOf(details: readonly (readonly [string, string | number | boolean | null])[]): string {
  if (details.length === 0) return '';
  const rows = details.map(([label, value]) => {
    const text = escapeHtml(value === null ? '–' : String(value));
    return `<div><dt>${escapeHtml(label)}</dt><dd title="${text}"><bdi>${text}</bdi></dd></div>`;
  });
  const list = (some: readonly string[]) => `<dl class="details">\n${some.join('\n')}\n</dl>`;
  const more = rows.slice(detailsShown);
  if (more.length <= 1) return list(rows);
  const rest = `<details>\n<summary>${more.length} more</summary>\n${list(more)}\n</details>`;
  return `${list(rows.slice(0, detailsShown))}\n${rest}`;
}

function duplicatesOf(duplicates: NonNullable<RankedImage['duplicates']>): string {
  if (duplicates.length === 0) return '';
  const items = duplicates.map(({ path, href }) => {
    const name = `<bdi>${escapeHtml(path)}</bdi>`;
    return `<li>${isLink(href) ? `<a href="${escapeHref(href)}">${name}</a>` : name}</li>`;
  });
  const count = formatCounted(duplicates.length, 'duplicates');
  return `<details>\n<summary>${count}</summary>\n<ul class="duplicates">\n${items.join('\n')}\n</ul>\n</details>`;
}

function isLink(href: string | undefined): href is string {
  return href !== undefined && /^(?:file|https?):/i.test(href);
}

function scoreText(score: number): string {
  return score.toFixed(4).replace('-', '−');
}

/** Name and folder of a path or an address, on any system. */
function split(path: string): { readonly name: string; readonly folder: string } {
  const end = Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\'));
  const name = path.slice(end + 1);
  return name === '' ? { name: path, folder: '' } : { name, folder: path.slice(0, Math.max(0, end)) };
}
