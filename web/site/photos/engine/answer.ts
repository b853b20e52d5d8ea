/** The worker's index as a server would describe it. */

import type { IndexAnswer, ServerAnswer } from '../../../../src/api/client.ts';
import { methods } from '../../../../src/composition/choices.ts';
import type { PhotoIndex } from '../index/photo-index.ts';
import { columns, indexName } from './search.ts';
import type { Loading } from './state.ts';

/** As in the server's API: the others differ only in whose phi they name, or take minutes. */
const offered = ['lincir', 'image', 'text', 'sum', 'slerp'] as const;
const largestUpload = 2 ** 28;

export function answerFor(
  index: PhotoIndex | undefined,
  { phi }: { readonly phi?: Loading | undefined },
  changes: number,
): ServerAnswer {
  const hasPhi = phi !== undefined && phi.stage !== 'failed';
  const facts: IndexAnswer | undefined = index && {
    name: indexName,
    images: index.rows.size,
    broken: index.rows.broken.size,
    missing: 0,
    model: index.header.model,
    dimensions: index.header.dimensions,
    created: '',
    changes,
    columns: Array.from(columns, ([name, type]) => ({ name, type })),
    methods: offered.filter((name) => hasPhi || methods[name].pseudoTokens === undefined),
    ...(hasPhi
      ? { phi: phi.name }
      : { advice: 'Choose a phi for your model under “Photos and model”: it turns a picture into a word.' }),
  };
  return {
    version: '',
    indexes: facts ? [facts] : [],
    allows: { imageUrls: false, indexing: false },
    demo: false,
    uploadBytes: largestUpload,
  };
}
