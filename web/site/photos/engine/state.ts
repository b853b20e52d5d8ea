/** What the worker tells the page about itself, and what the page may call. */

import type { ServerAnswer } from '../../../../src/api/client.ts';
import type { Job } from './indexing.ts';
import type { ListedFile } from './scan.ts';

/** A model by its preset's name, or from disk: its files, or a folder that the browser may read itself. */
export type ModelChoice =
  | { readonly kind: 'preset'; readonly name: string }
  | { readonly kind: 'files'; readonly name: string; readonly files: readonly ListedFile[] }
  | { readonly kind: 'folder'; readonly name: string; readonly handle: FileSystemDirectoryHandle };

export type PhiChoice =
  | { readonly kind: 'preset'; readonly name: string }
  | { readonly kind: 'file'; readonly file: File };

/** A model, or phi: on its way, there, or refused. */
export interface Loading {
  readonly name: string;
  readonly stage: 'downloading' | 'loading' | 'ready' | 'paused' | 'failed';
  readonly received?: number;
  /** Bytes of the whole download; 0 if they are not known yet. */
  readonly total?: number;
  readonly problem?: string;
}

export interface State {
  /** Another tab has the index: this one waits. */
  readonly isElsewhere: boolean;
  /** Why nothing is kept beyond this visit; undefined if all is. */
  readonly isNotKept?: string;
  readonly model?: Loading;
  readonly phi?: Loading;
  readonly device?: DeviceFacts;
  /** The model that the index is of, if that is not the loaded one. */
  readonly otherModel?: string;
  /** The model's name in the index. */
  readonly indexModel?: string;
  /** The names of folders that pictures came from, with their numbers; and whether they can be read now. */
  readonly folders: readonly FolderFacts[];
  readonly job?: Job;
  /** Pictures that could not be decoded. */
  readonly broken: number;
  /** As a server would answer. */
  readonly server: ServerAnswer;
}

/** Where the model computes. */
export type DeviceFacts =
  | { readonly kind: 'gpu'; readonly name: string }
  | {
      readonly kind: 'processor';
      readonly threads: number;
      /** What the GPU failed at. */
      readonly failure?: string;
    };

export interface FolderFacts {
  readonly name: string;
  readonly pictures: number;
  readonly isOpen: boolean;
}

export interface BrokenPicture {
  readonly path: string;
  readonly reason: string;
}
