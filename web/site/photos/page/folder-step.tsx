/** Choosing folders of photos, and allowing the browser again to read those of earlier visits. */

import { useState } from 'preact/hooks';
import { count, visible } from '../../../src/display.ts';
import { Icon } from '../../../src/icons.tsx';
import { usePhotos } from './context.ts';
import { FolderInput } from './folder-input.tsx';
import { canRemember, giveDropped, giveFiles, pickFolder } from './folders.ts';

export function FolderStep() {
  const { engine, state, refused, use, problem } = usePhotos();
  const [isOver, setIsOver] = useState(false);
  const hasFolders = state.folders.length > 0 || refused.length > 0;
  return (
    <div
      class={`drop-zone${isOver ? ' is-over' : ''}`}
      role="group"
      aria-label="Folders of photos"
      onDragOver={(event) => {
        event.preventDefault();
        setIsOver(true);
      }}
      onDragLeave={() => setIsOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        event.stopPropagation();
        setIsOver(false);
        const { dataTransfer } = event;
        if (dataTransfer) use(() => giveDropped(engine, dataTransfer));
      }}
    >
      <Folders />
      <p class="buttons">
        {canRemember ? (
          <button
            type="button"
            class={hasFolders ? 'quiet' : 'strong'}
            onClick={() => use(() => pickFolder(engine))}
          >
            <Icon name="folder" /> {hasFolders ? 'Add a folder' : 'Choose a folder'}
          </button>
        ) : (
          <FolderInput
            label={hasFolders ? 'Add a folder' : 'Choose a folder'}
            isStrong={!hasFolders}
            onFiles={(files) => use(() => giveFiles(engine, files))}
          />
        )}
        <span class="note">or drop one here</span>
      </p>
      {!canRemember && (
        <p class="note">
          This browser forgets the folder when the page is closed. Choose the same folder again then: the
          index goes on where it was.
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
  const { engine, state, refused, allow } = usePhotos();
  const names = new Set([...state.folders.map(({ name }) => name), ...refused.map(({ name }) => name)]);
  if (names.size === 0) return null;
  return (
    <ul class="folders">
      {[...names].map((name) => {
        const known = state.folders.find((one) => one.name === name);
        const handle = refused.find((one) => one.name === name);
        return (
          <li key={name}>
            <Icon name="folder" />
            <bdi>{visible(name)}</bdi>
            <span class="muted">{count(known?.pictures ?? 0, 'picture')}</span>
            <span class="space" />
            {handle && !known?.isOpen ? (
              <button type="button" class="strong" onClick={() => allow(handle)}>
                Allow access
              </button>
            ) : (
              known && !known.isOpen && <span class="note">choose it again for originals and new photos</span>
            )}
            {known && (
              <button
                type="button"
                class="plain square"
                aria-label={`Remove ${visible(name)} from the index`}
                title="Remove from the index"
                onClick={() => void engine.call('removeFolder', name)}
              >
                <Icon name="close" />
              </button>
            )}
          </li>
        );
      })}
    </ul>
  );
}
