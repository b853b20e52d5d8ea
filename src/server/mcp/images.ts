/** How images are named to assistants and by them: ids, addresses of resources, and facts short enough to read. */

import { z } from 'zod';
import { type ImageReference, type IndexedImage, imageId, indexName, limits } from '../../api/index.ts';
import { LincirError, quoted } from '../../core/index.ts';

export const indexField = indexName
  .optional()
  .describe('The name of the index. Leave it out for the default one.');

/** Images as a query names them. */
export const imagesField = (description: string) =>
  z.array(z.string().max(4096)).max(limits.images).optional().describe(description);

/**
 * What an assistant may name: an image of the index, or one on the public web. Nothing else, so that no path is opened.
 * @throws LincirError 'bad-argument' for anything else
 */
export function referenceOf(field: string, name: string, at: number): ImageReference {
  if (imageId.safeParse(name).success) return { id: name };
  if (/^https?:\/\//i.test(name) && URL.canParse(name)) return { url: name };
  throw new LincirError('bad-argument', {
    subject: `\`${field}[${at}]\``,
    expected:
      'the id of an image in the index (16 or 24 hexadecimal digits), or an address on the web (https://…)',
    found: quoted(name),
    todo: 'call `search_images` with `text`, or with a `filter` on `path`, to get ids',
  });
}

export const resourceOf = (index: string, id: string): string => `lincir://${index}/images/${id}`;

/** Without what breaks lines, hides or turns text around. */
const plain = (text: string): string => text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ').trim();

/** What is known of an image, for a text, on one line. Of a long path, the end tells more. */
export function imageLine(image: Pick<IndexedImage, 'path' | 'metadata'>): string {
  const path = plain(pathOf(image));
  const facts = Object.entries(factsOf(image)).map(
    ([name, value]) => `${plain(name)}=${quoted(typeof value === 'string' ? plain(value) : value, 60)}`,
  );
  return `${quoted(path.length <= 200 ? path : `…${path.slice(-199)}`, 400)} ${shortened(facts.join(' '), 300)}`.trim();
}

/** The file's name alone, on one line. */
export function nameOf({ id, path = id }: Pick<IndexedImage, 'id' | 'path'>): string {
  return shortened(plain(path.split(/[/\\]/).at(-1)!), 100) || id;
}

const briefest = { value: 200, path: 1000, facts: 1500 } as const;

export const pathOf = ({ path = '' }: Pick<IndexedImage, 'path'>): string =>
  path.length <= briefest.path ? path : `…${path.slice(1 - briefest.path)}`;

/** What is known of an image, so short that twenty of them fit into an answer. */
export function factsOf({
  metadata = {},
}: Pick<IndexedImage, 'metadata'>): Record<string, string | number | boolean> {
  const facts: Record<string, string | number | boolean> = {};
  let left = briefest.facts;
  for (const [name, value] of Object.entries(metadata)) {
    if (value === null) continue;
    const shown = typeof value === 'string' ? shortened(value, briefest.value) : value;
    left -= name.length + String(shown).length;
    if (left < 0) break;
    facts[name] = shown;
  }
  return facts;
}

export const shortened = (text: string, most: number): string =>
  text.length <= most ? text : `${text.slice(0, most - 1)}…`;
