/** Choosing folders of photos, and allowing the browser again to read those of earlier visits. */

import { useState } from 'preact/hooks';
import { count, visible } from '../../../src/display.ts';
import { Icon } from '../../../src/icons.tsx';
import { usePhotos } from './context.ts';
import { FolderInput } from './folder-input.tsx';
import { canRemember, giveFiles, openHandle, pickFolder, removeFolder } from './folders.ts';

export function FolderStep() {
  const { engine, state, refused, attempt, problem } = usePhotos();
  const [isOver, setIsOver] = useState(false);
  const hasFolders = state.folders.length > 0 || refused.length > 0;
  const pick = async () => {
    const handle = await pickFolder('photos');
    if (handle) await openHandle(engine, handle);
  };
  return (
    <div
      class={`drop-zone${isOver ? ' is-over' : ''}`}
      role="group"
      aria-label="Folders of photos"
      onDragOver={() => setIsOver(true)}
      onDragLeave={() => setIsOver(false)}
      onDrop={() => setIsOver(false)}
    >
      <Folders />
      <p class="buttons">
        {canRemember ? (
          <button type="button" class={hasFolders ? 'quiet' : 'strong'} onClick={() => attempt(pick)}>
            <Icon name="folder" /> {hasFolders ? 'Add a folder' : 'Choose a folder'}
          </button>
        ) : (
          <FolderInput
            label={hasFolders ? 'Add a folder' : 'Choose a folder'}
            isStrong={!hasFolders}
            onFiles={(files) => attempt(() => giveFiles(engine, files))}
          />
        )}
        <span class="note">or drop one here</span>
      </p>
      {!canRemember && (
        <p class="note">
          {state.isNotKept === undefined &&
            'This browser forgets the folder when the page is closed. Choose the same folder again then: the index goes on where it was. '}
          Your browser may speak of an upload. It only lets this page read the files, here.
        </p>
      )}
      {problem && (
        <p class="problem" role="alert">
          <Icon name="warning" /> <bdi>{problem}</bdi>
        </p>
      )}
    </div>
  );
}

/** The folders of the index and those that are to come into it. */
function Folders() {
  const { state, refused } = usePhotos();
  const names = new Set([...state.folders.map(({ name }) => name), ...refused.map(({ name }) => name)]);
  if (names.size === 0) return null;
  return (
    <ul class="folders">
      {[...names].map((name) => (
        <Folder key={name} name={name} />
      ))}
    </ul>
  );
}

function Folder({ name }: { readonly name: string }) {
  const { engine, state, refused, attempt, allow } = usePhotos();
  const [isAsked, setIsAsked] = useState(false);
  const known = state.folders.find((one) => one.name === name);
  const handle = refused.find((one) => one.name === name);
  const pictures = known?.pictures ?? 0;
  return (
    <li>
      <Icon name="folder" />
      <bdi>{visible(name)}</bdi>
      <span class="muted">
        {pictures === 0 && known?.isOpen && state.model?.stage !== 'ready'
          ? 'waits for a model'
          : count(pictures, 'picture')}
      </span>
      <span class="space" />
      {isAsked ? (
        <>
          <button type="button" class="strong" onClick={() => attempt(() => removeFolder(engine, name))}>
            Remove from the index
          </button>
          <button type="button" class="quiet" onClick={() => setIsAsked(false)}>
            Keep it
          </button>
        </>
      ) : (
        <>
          {handle && !known?.isOpen ? (
            <button type="button" class="strong" onClick={() => allow(handle)}>
              Allow access
            </button>
          ) : (
            known && !known.isOpen && <span class="note">choose it again for originals and new photos</span>
          )}
          <button
            type="button"
            class="plain square"
            aria-label={`Remove ${visible(name)} from the index`}
            title="Remove from the index"
            onClick={() => (pictures > 0 ? setIsAsked(true) : attempt(() => removeFolder(engine, name)))}
          >
            <Icon name="close" />
          </button>
        </>
      )}
    </li>
  );
}
