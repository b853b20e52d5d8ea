/** The world behind the page: opened once, its download followed, and opened again after a failure. */

import { useCallback, useEffect, useLayoutEffect, useState } from 'preact/hooks';
import { openWorld } from '../world/client.ts';
import type { Explaining, LearningState, World } from '../world/protocol.ts';

export type LiveWorld = World & Explaining;

export interface WorldView {
  /** Present when questions can be answered. */
  readonly world?: LiveWorld;
  readonly bytes: number;
  /** 0 before anything is known. */
  readonly total: number;
  readonly failure?: Error;
  readonly retry: () => void;
}

export function useWorld(): WorldView {
  const [attempt, setAttempt] = useState(0);
  const [{ bytes, total }, setProgress] = useState({ bytes: 0, total: 0 });
  const [world, setWorld] = useState<LiveWorld>();
  const [failure, setFailure] = useState<Error>();
  // Before the page is painted, so that the download begins at once.
  useLayoutEffect(() => {
    let isCurrent = true;
    const fail = (error: unknown) => {
      if (!isCurrent) return;
      setWorld(undefined);
      setFailure(error instanceof Error ? error : new Error(String(error)));
    };
    setFailure(undefined);
    setProgress({ bytes: 0, total: 0 });
    let opened: LiveWorld | undefined;
    try {
      opened = openWorld({
        onProgress: (bytes, total) => isCurrent && setProgress({ bytes, total }),
        onFailure: fail,
      });
      opened.ready().then(() => isCurrent && setWorld(opened), fail);
    } catch (error) {
      fail(error); // such as a browser without module workers
    }
    return () => {
      isCurrent = false;
      setWorld(undefined);
      opened?.close();
    };
  }, [attempt]);
  const retry = useCallback(() => setAttempt((old) => old + 1), []);
  return { world, bytes, total, failure, retry };
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
