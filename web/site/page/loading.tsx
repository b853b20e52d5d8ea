/** How far the download of the world is, or why there is none. */

import { megabytes } from './numbers.ts';
import type { WorldView } from './use-world.ts';

export function Loading({ view: { bytes, total, failure, retry } }: { readonly view: WorldView }) {
  if (failure !== undefined)
    return (
      <div class="failure" role="alert">
        <p>
          <strong>This cannot run yet.</strong> {failure.message}
        </p>
        <button type="button" class="quiet" onClick={retry}>
          Try again
        </button>
      </div>
    );
  const isLoaded = total > 0 && bytes >= total;
  return (
    <div class="loading" role="status">
      <progress value={total === 0 ? undefined : bytes} max={total || 1} aria-label="Download" />
      <span>
        {total === 0 && 'Asking for the miniature world …'}
        {total > 0 && !isLoaded && `Getting the miniature world: ${megabytes(bytes)} of ${megabytes(total)}`}
        {isLoaded && 'Starting …'}
      </span>
    </div>
  );
}
