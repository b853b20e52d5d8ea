/** What the parts of the page share: the worker, its state, and what the browser remembers. */

import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { State } from '../engine/state.ts';
import type { Engine } from './engine.ts';
import type { RememberedFolder } from './settings.ts';

export interface Photos {
  readonly engine: Engine;
  readonly state: State;
  /** Folders of earlier visits that the browser asks the person about. */
  readonly refused: readonly RememberedFolder[];
  /** The same of a model's folder. */
  readonly refusedModel: FileSystemDirectoryHandle | undefined;
  /** Does something. What goes wrong is told. */
  readonly attempt: (work: () => Promise<unknown>) => void;
  readonly allow: (folder: RememberedFolder) => void;
  readonly allowModel: (folder: FileSystemDirectoryHandle) => void;
  readonly problem: string | undefined;
}

export const PhotosContext = createContext<Photos | undefined>(undefined);

export function usePhotos(): Photos {
  const photos = useContext(PhotosContext);
  if (photos === undefined) throw new Error('outside of the page');
  return photos;
}
