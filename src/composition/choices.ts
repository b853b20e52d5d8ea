/** All methods that compose a query. A new one is an entry here: what it needs, its option, and how it makes the vector. */

import { slerp, sum } from './mixing.ts';

interface MethodEntry {
  /** A line for help. */
  readonly description: string;
  /** What a query must have. */
  readonly needs: readonly ('image' | 'text')[];
  /** What makes the pseudo tokens that stand for images in the prompt. Absent: text and images are encoded separately. */
  readonly pseudoTokens?: 'phi' | 'inversion';
  /** The weight of the text, from 0. */
  readonly weight?: { readonly default: number; readonly most: number };
  /** From directions, of length 1: the images' mean, and that of the text or the prompt. The result may have any length. */
  readonly mix: (image: Float32Array, text: Float32Array, weight: number) => Float32Array;
}

const fromPrompt = (pseudoTokens: 'phi' | 'inversion', description: string) =>
  ({ description, needs: ['image'], pseudoTokens, mix: (_, prompt) => prompt }) satisfies MethodEntry;

const table = {
  lincir: fromPrompt('phi', "the prompt, with phi's pseudo tokens for the images"),
  image: { description: 'the images alone', needs: ['image'], mix: (image) => image },
  text: { description: 'the text alone', needs: ['text'], mix: (_, text) => text },
  sum: {
    description: 'the sum of image and text',
    needs: ['image', 'text'],
    weight: { default: 1, most: 100 },
    mix: sum,
  },
  /** Jang et al., ECCV 2024, with their weight. */
  slerp: {
    description: 'between image and text, on the sphere',
    needs: ['image', 'text'],
    weight: { default: 0.8, most: 1 },
    mix: slerp,
  },
  searle: fromPrompt('phi', "like lincir, with SEARLE's phi"),
  pic2word: fromPrompt('phi', "like lincir, with Pic2Word's phi"),
  oti: fromPrompt('inversion', 'like lincir, but finds a pseudo token for each image by gradient descent'),
} satisfies Record<string, MethodEntry>;

export type Method = keyof typeof table;
export const methods: Readonly<Record<Method, MethodEntry>> = table;
export const methodNames = Object.keys(table) as Method[];
/** Methods whose pseudo tokens come from a phi. */
export const phiMethods = methodNames.filter((name) => methods[name].pseudoTokens === 'phi');
/** Methods with a weight of the text. */
export const weightedMethods = methodNames.filter((name) => methods[name].weight !== undefined);
