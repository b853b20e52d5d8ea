/** The dialog of photos and model: folders, model, phi, pictures that could not be decoded, and deleting it all. */

import { useEffect, useState } from 'preact/hooks';
import { Dialog } from '../../../src/dialog.tsx';
import { bytes, count, visible } from '../../../src/display.ts';
import { Icon } from '../../../src/icons.tsx';
import { writeSearches } from '../../../src/recent.ts';
import type { BrokenPicture } from '../engine/state.ts';
import { usePhotos } from './context.ts';
import type { Engine } from './engine.ts';
import { FolderStep } from './folder-step.tsx';
import { ModelStep } from './model-step.tsx';
import { PhiStep } from './phi-step.tsx';
import { Privacy } from './privacy.tsx';
import { forgetSettings } from './settings.ts';

export function Library({ onClose }: { readonly onClose: () => void }) {
  const { state } = usePhotos();
  return (
    <Dialog title="Photos and model" onClose={onClose}>
      <div class="library">
        <section>
          <h3>Folders</h3>
          <FolderStep />
          <Skipped />
        </section>
        {state.broken > 0 && <Broken number={state.broken} />}
        <section>
          <h3>Model</h3>
          <ModelStep />
          {state.model && <PhiStep />}
        </section>
        <Privacy />
        <DeleteAll />
      </div>
    </Dialog>
  );
}

/** Files that are no pictures, as far as someone may wonder. */
function Skipped() {
  const { job } = usePhotos().state;
  const kinds = [...(job?.skipped ?? [])].sort((a, b) => b[1] - a[1]);
  if (kinds.length === 0) return null;
  const total = kinds.reduce((sum, [, number]) => sum + number, 0);
  const shown = kinds
    .slice(0, 6)
    .map(
      ([ending, number]) =>
        `${number.toLocaleString('en')} ${ending === '' ? 'without ending' : `.${visible(ending)}`}`,
    );
  return (
    <p class="note">
      {count(total, 'other file')} left out: {shown.join(', ')}
      {kinds.length > 6 && ', …'}
    </p>
  );
}

const mostShown = 100;

function Broken({ number }: { readonly number: number }) {
  const { engine, attempt } = usePhotos();
  const [pictures, setPictures] = useState<readonly BrokenPicture[]>([]);
  useEffect(() => {
    engine.call('broken', undefined).then(setPictures, () => undefined);
  }, [engine, number]);
  const asCsv = () => ['path,reason', ...pictures.map(({ path, reason }) => `${cell(path)},${cell(reason)}`)];
  return (
    <details class="broken">
      <summary>{count(number, 'picture')} could not be decoded</summary>
      <ul>
        {pictures.slice(0, mostShown).map(({ path, reason }) => (
          <li key={path}>
            <bdi>{visible(path)}</bdi> <span class="muted">{reason}</span>
          </li>
        ))}
      </ul>
      {pictures.length > mostShown && (
        <p class="note">and {count(pictures.length - mostShown, 'more picture')}</p>
      )}
      <p class="buttons">
        <button
          type="button"
          class="quiet"
          onClick={() => attempt(() => navigator.clipboard.writeText(`${asCsv().join('\n')}\n`))}
        >
          <Icon name="copy" /> Copy the list as CSV
        </button>
        <button
          type="button"
          class="quiet"
          onClick={() => attempt(() => engine.call('index', { withBroken: true }))}
        >
          Try them again
        </button>
      </p>
    </details>
  );
}

function cell(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

function DeleteAll() {
  const { engine, attempt } = usePhotos();
  const [isAsked, setIsAsked] = useState(false);
  const [isBusy, setIsBusy] = useState(false);
  const used = useUsedSpace();
  return (
    <section>
      <h3>What this page keeps</h3>
      <p class="note">
        Models from the hub, the index, small pictures of your photos, and earlier searches.
        {used !== undefined && ` With the pages of this site, they take ${bytes(used)}.`} Your photos
        themselves are never changed.
      </p>
      <p class="buttons">
        {isAsked ? (
          <>
            <button
              type="button"
              class="strong"
              disabled={isBusy}
              onClick={() => {
                setIsBusy(true);
                attempt(async () => {
                  await deleteAll(engine).finally(() => setIsBusy(false));
                  location.replace(location.pathname);
                });
              }}
            >
              <Icon name="trash" /> Delete all of it
            </button>
            <button type="button" class="quiet" onClick={() => setIsAsked(false)}>
              Keep it
            </button>
          </>
        ) : (
          <button type="button" class="quiet" onClick={() => setIsAsked(true)}>
            <Icon name="trash" /> Delete everything…
          </button>
        )}
      </p>
    </section>
  );
}

/** First what the page would come back to, so that it does not if anything else cannot be deleted. */
async function deleteAll(engine: Engine): Promise<void> {
  writeSearches(localStorage, []);
  await forgetSettings();
  await engine.call('deleteAll', undefined);
}

function useUsedSpace(): number | undefined {
  const [used, setUsed] = useState<number>();
  useEffect(() => {
    navigator.storage?.estimate?.().then(
      ({ usage }) => setUsed(usage),
      () => undefined,
    );
  }, []);
  return used;
}
