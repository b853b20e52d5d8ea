/** What the page and its worker tell each other. */

import type { NearestRow, Query } from 'lincir';

export type Question =
  /** Addresses: of the folder of a model, and of pictures. */
  | { readonly kind: 'open'; readonly model: string; readonly pictures: readonly string[] }
  | { readonly kind: 'ask'; readonly picture: Blob; readonly text: string };

export type Answer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'found'; readonly query: Query; readonly ranked: readonly NearestRow[] }
  | { readonly kind: 'failed'; readonly message: string };
