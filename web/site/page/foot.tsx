/** The page's foot: what was downloaded, where it runs, whether it works offline. */

import type { OfflineSite } from '../shell/offline.ts';
import { threadsHere } from '../shell/offline.ts';
import { megabytes } from './numbers.ts';
import { Sources } from './onward.tsx';
import type { WorldView } from './use-world.ts';

const offline: Readonly<Record<OfflineSite['state'], string>> = {
  unavailable: 'This browser does not let this page store itself, so each visit needs the network.',
  storing: 'The page is being stored, so that it works without a network next time.',
  stored: 'The page is stored in your browser, and works without a network.',
  failed: 'Storing the page for offline use did not work. The next visit tries again.',
};

export function Foot({
  view: { total, world },
  site,
}: {
  readonly view: WorldView;
  readonly site: OfflineSite | undefined;
}) {
  const { threads: most, why } = threadsHere();
  const threads = world?.threads.count ?? most;
  return (
    <footer class="foot">
      <dl>
        <div>
          <dt>What was downloaded</dt>
          <dd>
            {total > 0
              ? `${megabytes(total)} for the first answer: a small CLIP, the ready phi and the drawings.`
              : 'Nothing yet.'}{' '}
            Learning takes 13 MB more.
          </dd>
        </div>
        <div>
          <dt>Where it runs</dt>
          <dd>
            In this tab, in WebAssembly, on {threads === 1 ? 'one thread' : `up to ${threads} threads`}. {why}{' '}
            {world && 'Nothing you do here leaves it.'}
          </dd>
        </div>
        <div>
          <dt>Offline</dt>
          <dd>{site === undefined ? 'Not yet.' : offline[site.state]}</dd>
        </div>
      </dl>
      <Sources />
    </footer>
  );
}
