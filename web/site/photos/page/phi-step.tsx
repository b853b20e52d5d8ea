/** Choosing phi, which turns a photo into a word of a query: the published one with its licence, a file, or none. */

import { useRef, useState } from 'preact/hooks';
import { bytes } from '../../../src/display.ts';
import { Icon } from '../../../src/icons.tsx';
import { usePhotos } from './context.ts';
import { phisFor } from './presets.ts';
import { changeSettings } from './settings.ts';
import { loadingText } from './words.ts';

export function PhiStep() {
  const { engine, state, attempt } = usePhotos();
  const { phi, model } = state;
  const offered = phisFor(model?.name);
  if (phi)
    return (
      <div class="chosen">
        <p>
          phi: <strong>{phi.name}</strong> <span class="muted">{loadingText(phi)}</span>
        </p>
        {phi.problem && (
          <p class="problem" role="alert">
            <Icon name="warning" /> <bdi>{phi.problem}</bdi>
          </p>
        )}
        <p class="buttons">
          {(phi.stage === 'failed' || phi.stage === 'paused') &&
            offered.some(({ name }) => name === phi.name) && (
              <button
                type="button"
                class="strong"
                onClick={() => attempt(() => engine.call('choosePhi', { kind: 'preset', name: phi.name }))}
              >
                {phi.stage === 'paused' ? 'Go on' : 'Try again'}
              </button>
            )}
          <button
            type="button"
            class="quiet"
            onClick={() =>
              attempt(async () => {
                await changeSettings(() => ({ phi: undefined }));
                await engine.call('choosePhi', undefined);
              })
            }
          >
            Without phi
          </button>
        </p>
      </div>
    );
  return (
    <details class="phi" open={offered.length > 0}>
      <summary>Phi: better answers to a photo with words</summary>
      <p class="note">
        Phi turns your photo into a word, so that “this, at sunset” is one thought. Without it the page only
        mixes photo and words.
      </p>
      {offered.map(({ name, description, licence, bytes: size }) => (
        <PublishedPhi key={name} {...{ name, description, licence, size }} />
      ))}
      <PhiFile />
    </details>
  );
}

function PublishedPhi({
  name,
  description,
  licence,
  size,
}: {
  readonly name: string;
  readonly description: string;
  readonly licence: string;
  readonly size: number | undefined;
}) {
  const { engine, attempt } = usePhotos();
  const [accepts, setAccepts] = useState(false);
  return (
    <div class="published">
      <label class="check">
        <input
          type="checkbox"
          checked={accepts}
          onChange={({ currentTarget }) => setAccepts(currentTarget.checked)}
        />
        <span>
          <strong>{name}</strong>, {description}
          {size !== undefined && `, ${bytes(size)}`}. I accept its licence: {licence}
          {/NC/.test(licence) && ', no commercial use'}.
        </span>
      </label>
      <button
        type="button"
        class="quiet"
        disabled={!accepts}
        onClick={() =>
          attempt(async () => {
            await changeSettings(() => ({ phi: name }));
            await engine.call('choosePhi', { kind: 'preset', name });
          })
        }
      >
        Get {name}
      </button>
    </div>
  );
}

function PhiFile() {
  const { engine, attempt } = usePhotos();
  const input = useRef<HTMLInputElement>(null);
  return (
    <p class="buttons">
      <button type="button" class="quiet" onClick={() => input.current!.click()}>
        Use a phi from your disk
      </button>
      <input
        ref={input}
        type="file"
        hidden
        accept=".pt,.pth,.safetensors,.ckpt"
        aria-label="Use a phi from your disk"
        onChange={({ currentTarget: { files } }) => {
          const [file] = files ?? [];
          if (file) attempt(() => engine.call('choosePhi', { kind: 'file', file }));
        }}
      />
    </p>
  );
}
