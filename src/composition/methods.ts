/** Chooses a query's method, and checks that the query has what the method needs. */

import { LincirError, option, quoted } from '../core/index.ts';
import { type Method, methods, weightedMethods } from './choices.ts';
import { namesImages } from './prompt.ts';

/** A published phi for a model, which an error recommends. */
interface PublishedPhi {
  readonly name: string;
  readonly description: string;
  readonly licence: string;
}

/** What decides the method. */
interface MethodOptions {
  readonly images?: readonly unknown[];
  readonly text?: string;
  readonly without?: string;
  readonly method?: Method;
  readonly weight?: number;
  readonly withoutWeight?: number;
  /** The source of pseudo tokens, or its name. */
  readonly phi?: unknown;
  readonly publishedPhi?: PublishedPhi;
}

const of = option<MethodOptions>;

/** The method that the options mean. Throws LincirError 'bad-argument' if they lack something that it needs. */
export function methodOf(options: MethodOptions): Method {
  const { images = [], text, without, method, weight, withoutWeight, phi, publishedPhi } = options;
  const has = { image: images.length > 0, text: text !== undefined };
  if (!has.image && !has.text) {
    const todo = `give ${of('images')}, ${of('text')} or both`;
    throw refusal('a query', 'an image, a text, or both', 'neither', todo);
  }
  for (const [subject, words] of [
    ['the text', text],
    ['what is not wanted', without],
  ] as const) {
    if (words?.trim() === '') throw refusal(subject, 'words', 'none', 'leave it out');
  }
  const chosen = method ?? (has.image && has.text ? 'lincir' : has.image ? 'image' : 'text');
  const { needs, pseudoTokens } = methods[chosen];
  for (const need of needs) {
    if (!has[need]) throw refusal(`method ${chosen}`, need === 'image' ? 'an image' : 'a text', 'none');
  }
  expectPhi(chosen, phi, publishedPhi);
  const advice = 'or write \\$ for a dollar sign';
  if (!pseudoTokens && has.text && namesImages(text!, images.length)) {
    const todo = `${has.image ? `use ${of('method', 'lincir')}` : `give an image with ${of('images')}`}, ${advice}`;
    throw refusal(`method ${chosen}`, 'a text without $', quoted(text!), todo);
  }
  if (without !== undefined && namesImages(without, images.length)) {
    throw refusal('what is not wanted', 'a text without $', quoted(without), `leave it out, ${advice}`);
  }
  if (withoutWeight !== undefined && without === undefined) {
    throw refusal(
      of('withoutWeight'),
      'something that is not wanted',
      'nothing',
      'leave it out, or say what you do not want',
    );
  }
  if (withoutWeight !== undefined) expectBetween(of('withoutWeight'), withoutWeight, 100);
  weightOf(chosen, weight);
  return chosen;
}

/** Throws LincirError 'bad-argument' if a method has no source of pseudo tokens. */
export function expectPhi(method: Method, phi: unknown, published?: PublishedPhi): void {
  if (phi !== undefined || methods[method].pseudoTokens === undefined) return;
  const known = published
    ? `${of('phi', published.name)} (${published.description}; ${published.licence}), `
    : '';
  throw refusal(
    `method ${method}`,
    'phi, which makes a pseudo token of an image',
    'none',
    `give ${known}${of('phi', 'FILE')}, or ${of('method', 'sum')} to go without`,
  );
}

/**
 * The text's weight in a method: the given one, or the method's own; undefined if the method has none.
 * @throws LincirError 'bad-argument' for a weight that is out of range, or given for a method without one
 */
export function weightOf(method: Method, given: number | undefined): number | undefined {
  const { weight } = methods[method];
  if (given === undefined) return weight?.default;
  if (weight === undefined) {
    const expected = `the method ${weightedMethods.join(' or ')}`;
    throw refusal(of('weight'), expected, method, 'leave it out, or choose one of these methods');
  }
  expectBetween(`weight of ${method}`, given, weight.most);
  return given;
}

function expectBetween(subject: string, value: number, most: number): void {
  if (!(value >= 0 && value <= most)) throw refusal(subject, `a number from 0 to ${most}`, `${value}`);
}

function refusal(subject: string, expected: string, found: string, todo?: string): LincirError {
  return new LincirError('bad-argument', { subject, expected, found, todo });
}
