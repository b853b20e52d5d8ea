/** The world behind the page: opened before anything is on it, its download followed, and opened again after a failure. */

import { useCallback, useEffect, useLayoutEffect, useState } from 'preact/hooks';
import { openWorld } from '../world/client.ts';
import type { Explaining, LearningState, World } from '../world/protocol.ts';

export type LiveWorld = World & Explaining;

interface Progress {
  /** Present when it is known what there is to ask. */
  readonly world?: LiveWorld;
  /** Whether questions are answered at once. */
  readonly isReady: boolean;
  readonly bytes: number;
  /** 0 before anything is known. */
  readonly total: number;
  readonly failure?: Error;
}

export interface WorldView extends Progress {
  readonly retry: () => void;
}

/** A world from its first byte on. */
export class Opening {
  progress: Progress = { isReady: false, bytes: 0, total: 0 };
  onProgress: (progress: Progress) => void = () => {};
  readonly #world: LiveWorld | undefined;

  constructor() {
    const fail = (error: unknown) => {
      const failure = error instanceof Error ? error : new Error(String(error));
      this.#tell({ world: undefined, isReady: false, failure });
    };
    try {
      const world = openWorld({
        onProgress: (bytes, total) => this.#tell({ bytes, total }),
        onKnown: () => this.#tell({ world }),
        onFailure: fail,
      });
      this.#world = world;
      world.ready().then(() => this.#tell({ isReady: true }), fail);
    } catch (error) {
      fail(error); // such as a browser without module workers
    }
  }

  close(): void {
    this.onProgress = () => {};
    this.#world?.close();
  }

  #tell(changed: { [Key in keyof Progress]?: Progress[Key] | undefined }): void {
    this.progress = { ...this.progress, ...changed } as Progress;
    this.onProgress(this.progress);
  }
}

/** @param first is under way already */
export function useWorld(first: Opening): WorldView {
  const [opening, setOpening] = useState(first);
  const [progress, setProgress] = useState(first.progress);
  useLayoutEffect(() => {
    setProgress(opening.progress);
    opening.onProgress = setProgress;
    return () => opening.close();
  }, [opening]);
  const retry = useCallback(() => setOpening(new Opening()), []);
  return { ...progress, retry };
}

/** How learning goes on, as the page draws it. */
export function useLearning(world: World | undefined): LearningState | undefined {
  const [state, setState] = useState(world?.learn.state);
  useEffect(() => {
    setState(world?.learn.state);
    return world?.learn.subscribe(setState);
  }, [world]);
  return state;
}
