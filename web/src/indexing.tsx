/** Bringing an index up to date from the page: which folders, how far it is, what came of it. */

import { useCallback, useEffect, useState } from 'preact/hooks';
import type { IndexingAnswer, IndexingJob } from '../../src/api/client.ts';
import { api } from './back-end.ts';
import { Dialog } from './dialog.tsx';
import { count, date, visible } from './display.ts';
import { asFailure } from './failure.ts';
import { Icon } from './icons.tsx';

const stages = {
  starting: 'Loading the model…',
  looking: 'Looking for images…',
  indexing: 'Indexing',
  finishing: 'Tidying up…',
} as const;

export function Indexing({
  index,
  onChanged,
  onClose,
}: {
  readonly index: string;
  readonly onChanged: () => void;
  readonly onClose: () => void;
}) {
  const [state, setState] = useState<IndexingAnswer>();
  const [problem, setProblem] = useState<string>();
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set());

  const ask = useCallback(async (call: () => Promise<IndexingAnswer>) => {
    try {
      setState(await call());
      setProblem(undefined);
    } catch (error) {
      setProblem(asFailure(error).detail);
    }
  }, []);
  useEffect(() => {
    void ask(api.indexing);
    const timer = setInterval(() => void ask(api.indexing), 1000);
    return () => clearInterval(timer);
  }, [ask]);
  const ended = state?.last?.ended;
  useEffect(() => {
    if (ended !== undefined) onChanged();
  }, [ended, onChanged]);

  const folders = state?.indexes.find(({ name }) => name === index)?.folders ?? [];
  const chosen = folders.filter(({ id, isThere }) => isThere && !left.has(id)).map(({ id }) => id);
  const running = state?.running;
  return (
    <Dialog title="Index folders" onClose={onClose}>
      {problem && (
        <p class="problem" role="alert">
          <Icon name="warning" /> <bdi>{problem}</bdi>
        </p>
      )}
      {running ? (
        <Running job={running} onStop={() => void ask(api.stopIndexing)} />
      ) : (
        <form
          class="indexing"
          onSubmit={(event) => {
            event.preventDefault();
            void ask(() => api.startIndexing({ index, folders: chosen }));
          }}
        >
          <fieldset>
            <legend>
              Look for new and changed images in these folders, for the index <bdi>{visible(index)}</bdi>:
            </legend>
            {folders.map(({ id, path, isThere }) => (
              <label key={id} class="check">
                <input
                  type="checkbox"
                  disabled={!isThere}
                  checked={isThere && !left.has(id)}
                  onChange={({ currentTarget }) => {
                    const next = new Set(left);
                    if (currentTarget.checked) next.delete(id);
                    else next.add(id);
                    setLeft(next);
                  }}
                />
                <bdi>{visible(path)}</bdi>
                {!isThere && <span class="muted">is not there</span>}
              </label>
            ))}
            {state && folders.length === 0 && <p class="note">The server knows no folder of this index.</p>}
          </fieldset>
          <button type="submit" class="strong" disabled={chosen.length === 0}>
            Index now
          </button>
        </form>
      )}
      {!running && state?.last && <Last job={state.last} />}
    </Dialog>
  );
}

function Running({ job, onStop }: { readonly job: IndexingJob; readonly onStop: () => void }) {
  const { stage, done, todo, found, state } = job;
  const isCounted = stage === 'indexing' && todo > 0;
  return (
    <div class="indexing">
      <p aria-live="polite">
        {state === 'stopping' ? 'Stopping…' : stages[stage]}
        {isCounted && ` ${done.toLocaleString('en')} of ${count(todo, 'image')}`}
        {stage === 'looking' && found > 0 && ` ${found.toLocaleString('en')} so far`}
      </p>
      <progress aria-label="Indexing" max={1} {...(isCounted && { value: done / todo })} />
      <p class="note">You can close this and search meanwhile.</p>
      <button type="button" class="quiet" disabled={state === 'stopping'} onClick={onStop}>
        Stop
      </button>
    </div>
  );
}

function Last({ job }: { readonly job: IndexingJob }) {
  const { state, ended, changes, problem } = job;
  const parts = Object.entries(changes ?? {}).filter(([, number]) => number > 0);
  return (
    <section class="indexing" aria-live="polite">
      <h3>
        {state === 'failed' ? 'Failed' : state === 'stopped' ? 'Stopped' : 'Done'}
        {ended && `, ${date(ended)}`}
      </h3>
      {parts.length > 0 && (
        <p class="note">
          {parts.map(([name, number]) => `${number.toLocaleString('en')} ${name}`).join(', ')}
        </p>
      )}
      {problem && (
        <p class="problem">
          <bdi>{problem}</bdi>
        </p>
      )}
    </section>
  );
}
