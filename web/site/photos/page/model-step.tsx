/** Choosing a model: its size and licence before anything is fetched, then its download, which can pause. */

import { useEffect, useState } from 'preact/hooks';
import { bytes, count } from '../../../src/display.ts';
import { Icon } from '../../../src/icons.tsx';
import { usePhotos } from './context.ts';
import { FolderInput } from './folder-input.tsx';
import { firstModels, furtherModels, type OfferedModel, remarkOn, roughBytes } from './presets.ts';
import { changeSettings } from './settings.ts';
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
  const { engine, state } = usePhotos();
  const { name, stage, received = 0, total = 0, problem } = state.model!;
  const isOnItsWay = stage === 'downloading' || stage === 'loading';
  const again = () => void engine.call('chooseModel', { kind: 'preset', name });
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
          <button type="button" class="quiet" onClick={() => void engine.call('pauseDownload', undefined)}>
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
        <button type="button" class="quiet" onClick={onOther}>
          Another model
        </button>
      </p>
    </div>
  );
}

function Choice({ onDone }: { readonly onDone: () => void }) {
  const { engine, state } = usePhotos();
  const [name, setName] = useState(state.indexModel ?? firstModels[0]!.name);
  const free = useFreeSpace();
  const chosen = [...firstModels, ...furtherModels].find((one) => one.name === name) ?? firstModels[0]!;
  const size = roughBytes(chosen);
  return (
    <form
      class="choice"
      onSubmit={(event) => {
        event.preventDefault();
        void navigator.storage?.persist?.().catch(() => undefined);
        void changeSettings({ model: chosen.name });
        void engine.call('chooseModel', { kind: 'preset', name: chosen.name });
        onDone();
      }}
    >
      {state.indexModel !== undefined && state.model === undefined && (
        <p>
          Your index of {count(state.server.indexes[0]?.images ?? 0, 'picture')} is here. It is of the model{' '}
          <strong>{state.indexModel}</strong>: choose the same again to search.
        </p>
      )}
      <fieldset>
        <legend class="hidden">Model</legend>
        {firstModels.map((one) => (
          <ModelOption
            key={one.name}
            model={one}
            isChosen={one === chosen}
            onChoose={() => setName(one.name)}
          />
        ))}
        <details>
          <summary>Other models</summary>
          {furtherModels.map((one) => (
            <ModelOption
              key={one.name}
              model={one}
              isChosen={one === chosen}
              onChoose={() => setName(one.name)}
            />
          ))}
        </details>
      </fieldset>
      <p class="buttons">
        <button type="submit" class="strong">
          Get {chosen.name}, {bytes(size)}
        </button>
        <FolderInput
          label="Use a model from your disk"
          onFiles={(files) => {
            const [first] = files;
            if (first === undefined) return;
            const folder = first.webkitRelativePath.split('/')[0] ?? 'a model';
            const listed = files.map((file) => ({ path: file.webkitRelativePath, file }));
            void changeSettings({ model: undefined, phi: undefined });
            void engine.call('chooseModel', { kind: 'files', name: folder, files: listed });
            onDone();
          }}
        />
        {state.model && (
          <button type="button" class="quiet" onClick={onDone}>
            Cancel
          </button>
        )}
      </p>
      <p class="note">
        The browser keeps the model, so that you fetch it once.{' '}
        {free !== undefined && `It offers this page ${bytes(free)}.`}{' '}
        {free !== undefined && free < size * 1.1 && (
          <strong class="problem">That is too little for this model.</strong>
        )}
      </p>
    </form>
  );
}

function ModelOption({
  model,
  isChosen,
  onChoose,
}: {
  readonly model: OfferedModel;
  readonly isChosen: boolean;
  readonly onChoose: () => void;
}) {
  const { name, description, licence } = model;
  return (
    <label class={`option${isChosen ? ' is-chosen' : ''}`}>
      <input type="radio" name="model" checked={isChosen} onChange={onChoose} />
      <span>
        <strong>{name}</strong> <span class="muted">{description}</span>
        {remarkOn(model) && <span class="remark">{remarkOn(model)}</span>}
      </span>
      <span class="muted size">
        {bytes(roughBytes(model))}
        <br />
        {licence}
      </span>
    </label>
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
