/** A line above the results: how far the model and the index are, and what the page needs from the person. */

import { Icon } from '../../../src/icons.tsx';
import { usePhotos } from './context.ts';
import { deviceText, jobText, loadingText } from './words.ts';

export function Strip({ onLibrary }: { readonly onLibrary: () => void }) {
  const { engine, state, refused, allow, problem } = usePhotos();
  const { model, otherModel, folders } = state;
  const asked = refused.filter(({ name }) => folders.some((one) => one.name === name && !one.isOpen));
  return (
    <div class="strip-lines">
      {model && model.stage !== 'ready' && (
        <div class="strip">
          <p aria-live="polite">
            {model.stage === 'failed'
              ? 'The model is not there. '
              : `Model ${model.name}: ${loadingText(model)} `}
            {model.problem && <bdi class="problem">{model.problem}</bdi>}
          </p>
          <button type="button" class="quiet" onClick={onLibrary}>
            See the model
          </button>
        </div>
      )}
      {otherModel !== undefined && model && (
        <div class="strip" role="alert">
          <p>
            <Icon name="warning" /> This index is of the model {otherModel}. The model {model.name} cannot
            read it.
          </p>
          <button type="button" class="quiet" onClick={() => void engine.call('index', { isAnew: true })}>
            Index again with {model.name}
          </button>
          <button type="button" class="quiet" onClick={onLibrary}>
            Choose {otherModel}
          </button>
        </div>
      )}
      {asked.map((folder) => (
        <div key={folder.name} class="strip">
          <p>
            <Icon name="folder" /> The browser asks again before this page may read <bdi>{folder.name}</bdi>:
            for originals and new photos.
          </p>
          <button type="button" class="strong" onClick={() => allow(folder)}>
            Allow access
          </button>
        </div>
      ))}
      <Progress />
      {problem && (
        <p class="problem" role="alert">
          <Icon name="warning" /> <bdi>{problem}</bdi>
        </p>
      )}
      <Notes />
    </div>
  );
}

/** How far indexing is. Nothing once it is done and has nothing to tell. */
export function Progress() {
  const { engine, state } = usePhotos();
  const { job, device } = state;
  if (job === undefined) return null;
  const { stage, done, todo, problem, added, removed } = job;
  if (stage === 'done' && added + removed === 0 && !problem) return null;
  if (stage === 'done' && !problem) return <p class="note done">{jobText(job)}</p>;
  const isAtWork = stage === 'looking' || stage === 'indexing';
  return (
    <div class="strip">
      <div class="strip-text">
        <p aria-live={isAtWork ? 'off' : 'polite'}>{jobText(job)}</p>
        {(isAtWork || stage === 'paused') && (
          <progress aria-label="Indexing" max={1} {...(todo > 0 && { value: done / todo })} />
        )}
        {isAtWork && device && <p class="note">{deviceText(device)}</p>}
        {problem && (
          <p class="problem" role="alert">
            <Icon name="warning" /> <bdi>{problem}</bdi>
          </p>
        )}
      </div>
      {stage === 'indexing' && (
        <button type="button" class="quiet" onClick={() => void engine.call('pause', undefined)}>
          Pause
        </button>
      )}
      {stage === 'paused' && (
        <button type="button" class="strong" onClick={() => void engine.call('goOn', undefined)}>
          Go on
        </button>
      )}
      {stage === 'failed' && (
        <button type="button" class="strong" onClick={() => void engine.call('index', {})}>
          Try again
        </button>
      )}
    </div>
  );
}

/** What holds for the whole visit. */
export function Notes() {
  const { isNotKept } = usePhotos().state;
  if (isNotKept === undefined) return null;
  return (
    <p class="note">
      <Icon name="info" /> {isNotKept}
    </p>
  );
}
