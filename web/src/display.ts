/** What people read: names from data with nothing hidden in them, sizes, dates and counts. */

import type { IndexedImage } from '../../src/api/index.ts';

/**
 * A text from data. Characters that are invisible, or reverse the text, are spelt out; not those that join letters and
 * emoji.
 */
export function visible(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cs}\p{Co}\p{Zl}\p{Zp}]|(?![\u200c\u200d])\p{Cf}/gu,
    (character) => `[U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}]`,
  );
}

/** The file's own name; a member's in a shard. */
export function fileName(path: string): string {
  return path.slice(path.search(/[^/\\]*$/));
}

/** Width by height, as far as the index knows them. */
export function proportionsOf({ metadata }: IndexedImage): number {
  const { width, height } = metadata ?? {};
  const isKnown = typeof width === 'number' && typeof height === 'number' && width > 0 && height > 0;
  return isKnown ? width / height : 1;
}

const decimal = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });

export function bytes(size: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB'];
  const unit = Math.min(3, Math.floor(Math.log10(Math.max(1, size)) / 3));
  return `${decimal.format(size / 1000 ** unit)} ${units[unit]}`;
}

export function count(number: number, thing: string): string {
  return `${number.toLocaleString('en')} ${thing}${number === 1 ? '' : 's'}`;
}

export function score(value: number): string {
  return value.toFixed(3);
}

export function date(value: number | string): string {
  const time = new Date(value);
  if (Number.isNaN(time.getTime())) return `${value}`;
  return time.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
}
