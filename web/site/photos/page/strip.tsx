/** A line above the results: how far the model and the index are, and what the page needs from the person. */

import { Icon } from '../../../src/icons.tsx';
import type { Job } from '../engine/indexing.ts';
import { usePhotos } from './context.ts';
import { awayText, deviceText, jobText, loadingText, unreadText } from './words.ts';

export function Strip({ onLibrary }: { readonly onLibrary: () => void }) {
  const { engine, state, refused, attempt, allow, problem } = usePhotos();
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
          <button
            type="button"
            class="quiet"
            onClick={() => attempt(() => engine.call('index', { isAnew: true }))}
          >
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
            <Icon name="folder" /> For new photos and originals in <bdi>{folder.name}</bdi>, your browser
            wants your permission again. All that is indexed can be searched without it.
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
  const { engine, state, attempt } = usePhotos();
  const { job } = state;
  if (job === undefined) return null;
  const { stage, added, removed, found, problem } = job;
  const isQuiet = stage === 'done' && added + removed === 0 && found > 0;
  return (
    <>
      {stage === 'done' ? !isQuiet && <p class="note done">{jobText(job)}</p> : <Work job={job} />}
      {problem && (
        <p class="problem" role="alert">
          <Icon name="warning" /> <bdi>{problem}</bdi>
        </p>
      )}
      {stage === 'done' && job.away > 0 && (
        <div class="strip">
          <p>
            <Icon name="info" /> {awayText(job)}
          </p>
          <Button label="Look again" onClick={() => attempt(() => engine.call('index', {}))} />
          <Button
            label="Take them out"
            onClick={() => attempt(() => engine.call('index', { withoutAway: true }))}
          />
        </div>
      )}
      {stage === 'done' && job.unread > 0 && (
        <div class="strip">
          <p>
            <Icon name="warning" /> <bdi>{unreadText(job)}</bdi>
          </p>
          <Button label="Look again" onClick={() => attempt(() => engine.call('index', {}))} />
        </div>
      )}
    </>
  );
}

function Work({ job }: { readonly job: Job }) {
  const { engine, state, attempt } = usePhotos();
  const { stage, done, todo } = job;
  const isAtWork = stage === 'looking' || stage === 'indexing';
  return (
    <div class="strip">
      <div class="strip-text">
        <p aria-live={isAtWork ? 'off' : 'polite'}>{jobText(job)}</p>
        {(isAtWork || stage === 'paused') && (
          <progress aria-label="Indexing" max={1} {...(todo > 0 && { value: done / todo })} />
        )}
        {isAtWork && state.device && (
          <p class="note">
            {deviceText(state.device)} Leave this page open. If you close it, it goes on at your next visit.
          </p>
        )}
      </div>
      {stage === 'indexing' && (
        <Button label="Pause" onClick={() => attempt(() => engine.call('pause', undefined))} />
      )}
      {stage === 'paused' && (
        <Button label="Go on" isStrong onClick={() => attempt(() => engine.call('goOn', undefined))} />
      )}
      {stage === 'failed' && (
        <Button label="Try again" isStrong onClick={() => attempt(() => engine.call('index', {}))} />
      )}
    </div>
  );
}

function Button({
  label,
  isStrong = false,
  onClick,
}: {
  readonly label: string;
  readonly isStrong?: boolean;
  readonly onClick: () => void;
}) {
  return (
    <button type="button" class={isStrong ? 'strong' : 'quiet'} onClick={onClick}>
      {label}
    </button>
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
