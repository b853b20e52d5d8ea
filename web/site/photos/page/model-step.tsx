/** Choosing a model: its size and licence before anything is fetched, then its download, which can pause. */

import { useCallback, useEffect, useState } from 'preact/hooks';
import type { RemoteFacts } from '../../../../src/browser/index.ts';
import { bytes, count } from '../../../src/display.ts';
import { Icon } from '../../../src/icons.tsx';
import { usePhotos } from './context.ts';
import { FolderInput } from './folder-input.tsx';
import { canRemember } from './folders.ts';
import { chooseModel, giveModel, pickModel, tryAgain } from './models.ts';
import { firstModels, furtherModels, type OfferedModel, remarkOn, roughBytes } from './presets.ts';
import { deviceText, loadingText } from './words.ts';

export function ModelStep() {
  const { state } = usePhotos();
  const [isChoosing, setIsChoosing] = useState(false);
  const { model } = state;
  if (model === undefined || isChoosing) return <Choice onDone={() => setIsChoosing(false)} />;
  return <Chosen onOther={() => setIsChoosing(true)} />;
}

/** The chosen model, and how far it is. */
function Chosen({ onOther }: { readonly onOther: () => void }) {
  const { engine, state, attempt } = usePhotos();
  const { name, stage, received = 0, total = 0, problem } = state.model!;
  const isOnItsWay = stage === 'downloading' || stage === 'loading';
  const again = () => attempt(() => tryAgain(engine));
  return (
    <div class="chosen">
      <p>
        <strong>{name}</strong> <span class="muted">{loadingText(state.model!)}</span>
        {stage === 'ready' && state.device && <span class="muted">{deviceText(state.device)}</span>}
      </p>
      {isOnItsWay && (
        <progress
          aria-label={`Model ${name}`}
          max={1}
          {...(stage === 'downloading' && total > 0 && { value: received / total })}
        />
      )}
      {problem && (
        <p class="problem" role="alert">
          <Icon name="warning" /> <bdi>{problem}</bdi>
        </p>
      )}
      <p class="buttons">
        {stage === 'downloading' && (
          <button
            type="button"
            class="quiet"
            onClick={() => attempt(() => engine.call('pauseDownload', undefined))}
          >
            Pause
          </button>
        )}
        {stage === 'paused' && (
          <button type="button" class="strong" onClick={again}>
            Go on
          </button>
        )}
        {stage === 'failed' && (
          <button type="button" class="strong" onClick={again}>
            Try again
          </button>
        )}
        <button type="button" class={stage === 'failed' ? 'strong' : 'quiet'} onClick={onOther}>
          Another model
        </button>
      </p>
    </div>
  );
}

function Choice({ onDone }: { readonly onDone: () => void }) {
  const { engine, state, refusedModel, attempt, allowModel } = usePhotos();
  const [name, setName] = useState(state.indexModel ?? firstModels[0]!.name);
  const all = [...firstModels, ...furtherModels];
  const chosen = all.find((one) => one.name === name) ?? firstModels[0]!;
  const kept = useKept();
  const option = (one: OfferedModel) => (
    <ModelOption
      key={one.name}
      model={one}
      isChosen={one === chosen}
      isKept={kept.ids.has(one.id)}
      onChoose={() => setName(one.name)}
      onDelete={() => attempt(() => engine.call('deleteModel', one.id).finally(kept.look))}
    />
  );
  return (
    <form
      class="choice"
      onSubmit={(event) => {
        event.preventDefault();
        attempt(() => chooseModel(engine, chosen.name));
        onDone();
      }}
    >
      {state.indexModel !== undefined && state.model === undefined && (
        <p>
          Your index of {count(state.server.indexes[0]?.images ?? 0, 'picture')} is here. It is of the model{' '}
          <strong>{state.indexModel}</strong>: choose the same again to search.
        </p>
      )}
      {refusedModel && state.model === undefined && (
        <p class="buttons">
          <span>
            Your model is in the folder <bdi>{refusedModel.name}</bdi>. Your browser wants your permission
            again to read it.
          </span>
          <button type="button" class="strong" onClick={() => allowModel(refusedModel)}>
            Allow access
          </button>
        </p>
      )}
      <fieldset>
        <legend class="hidden">Model</legend>
        {firstModels.map(option)}
        <details>
          <summary>Other models</summary>
          {furtherModels.map(option)}
        </details>
      </fieldset>
      <p class="buttons">
        <button type="submit" class="strong">
          {kept.ids.has(chosen.id) ? 'Use' : 'Get'} {chosen.name}
        </button>
        {canRemember ? (
          <button
            type="button"
            class="quiet"
            onClick={() => attempt(async () => (await pickModel(engine)) && onDone())}
          >
            <Icon name="folder" /> Use a model from your disk
          </button>
        ) : (
          <FolderInput
            label="Use a model from your disk"
            onFiles={(files) => {
              attempt(() => giveModel(engine, files));
              onDone();
            }}
          />
        )}
        {state.model && (
          <button type="button" class="quiet" onClick={onDone}>
            Cancel
          </button>
        )}
      </p>
      <Size model={chosen} />
    </form>
  );
}

/** What the hub says of the chosen model, beside the room that there is. Without the hub, about how large it is. */
function Size({ model }: { readonly model: OfferedModel }) {
  const { engine, state } = usePhotos();
  const [facts, setFacts] = useState<RemoteFacts>();
  const free = useFreeSpace();
  useEffect(() => {
    const controller = new AbortController();
    setFacts(undefined);
    engine.call('describe', model.name, controller.signal).then(setFacts, () => undefined);
    return () => controller.abort();
  }, [engine, model.name]);
  const toFetch = facts === undefined ? roughBytes(model) : facts.bytes - facts.bytesHere;
  const isShort = free !== undefined && free < toFetch;
  return (
    <p class={isShort ? 'problem' : 'note'} aria-live="polite">
      {facts === undefined && `To fetch: about ${bytes(toFetch)}. `}
      {facts !== undefined && toFetch > 0 && `To fetch: ${bytes(toFetch)}. `}
      {facts !== undefined && toFetch === 0 && 'It is on this machine already. '}
      {facts !== undefined &&
        facts.bytesHere > 0 &&
        toFetch > 0 &&
        `${bytes(facts.bytesHere)} are here already. `}
      {free !== undefined && `The browser offers this page ${bytes(free)}. `}
      {isShort
        ? 'That is too little for this model.'
        : state.isNotKept !== undefined || facts?.isKept === false
          ? 'This browser, or this private window, keeps no files: the next visit fetches it again.'
          : 'The browser keeps the model, so that you fetch it once.'}
    </p>
  );
}

/** The ids of models in the browser's storage. */
function useKept() {
  const { engine } = usePhotos();
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set());
  const look = useCallback(
    () =>
      void engine.call('keptModels', undefined).then(
        (models) => setIds(new Set(models.filter((one) => one.bytes > 0).map(({ id }) => id))),
        () => undefined,
      ),
    [engine],
  );
  useEffect(look, [look]);
  return { ids, look };
}

function ModelOption({
  model,
  isChosen,
  isKept,
  onChoose,
  onDelete,
}: {
  readonly model: OfferedModel;
  readonly isChosen: boolean;
  readonly isKept: boolean;
  readonly onChoose: () => void;
  readonly onDelete: () => void;
}) {
  const { name, description, licence } = model;
  return (
    <div class={`option${isChosen ? ' is-chosen' : ''}`}>
      <label>
        <input type="radio" name="model" checked={isChosen} onChange={onChoose} />
        <span>
          <strong>{name}</strong> <span class="muted">{description}</span>
          {remarkOn(model) && <span class="remark">{remarkOn(model)}</span>}
        </span>
        <span class="muted size">
          <span>{isKept ? 'on this machine' : bytes(roughBytes(model))}</span>
          <span>{licence}</span>
        </span>
      </label>
      {isKept && (
        <button
          type="button"
          class="plain square"
          aria-label={`Delete ${name} from this machine`}
          title="Delete from this machine"
          onClick={onDelete}
        >
          <Icon name="trash" />
        </button>
      )}
    </div>
  );
}

/** Bytes that the browser offers the page beside what it has. */
export function useFreeSpace(): number | undefined {
  const [free, setFree] = useState<number>();
  useEffect(() => {
    navigator.storage?.estimate?.().then(
      ({ quota, usage = 0 }) => quota !== undefined && setFree(quota - usage),
      () => undefined,
    );
  }, []);
  return free;
}
