/** `lincir serve --demo`: makes the miniature world's index if it is not there yet, and shows how far it is. */

import { demoIndex, type IndexToServe } from '../../service/index.ts';
import type { Context } from '../context.ts';

const labels = {
  waiting: 'waiting for another process that makes it',
  drawing: 'drawing the miniature world',
  indexing: 'indexing it',
};

export async function madeDemo({ reporter, signal }: Context): Promise<IndexToServe> {
  let shown = '';
  const index = await demoIndex({
    signal,
    onProgress: ({ stage, done, total }) => {
      if (stage !== shown) {
        reporter.begin({ label: labels[stage], unit: 'images', total });
        // The first time, it takes a while.
        if (!reporter.isTerminal && stage !== 'waiting') reporter.note(`${labels[stage]} …`);
      }
      shown = stage;
      reporter.advance(done);
    },
  });
  reporter.end();
  return index;
}
