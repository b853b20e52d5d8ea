/** What the server has, asked for again now and then: indexes grow, and servers come back. */

import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { ServerAnswer } from '../../src/api/client.ts';
import { api } from './back-end.ts';
import { asFailure, type Failure } from './failure.ts';

const interval = 30_000;

export function useServer() {
  const [server, setServer] = useState<ServerAnswer>();
  const [failure, setFailure] = useState<Failure>();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);

  const reload = useCallback(async () => {
    clearTimeout(timer.current);
    let next = interval;
    try {
      const answer = await api.server();
      // The same facts are the same object: nothing is drawn anew.
      setServer((old) => (JSON.stringify(old) === JSON.stringify(answer) ? old : answer));
      setFailure(undefined);
    } catch (error) {
      const failed = asFailure(error);
      setFailure(failed);
      if (failed.retryAfter !== undefined) next = Math.max(2, failed.retryAfter) * 1000;
    }
    timer.current = setTimeout(() => {
      if (document.visibilityState === 'visible') void reload();
    }, next);
  }, []);

  useEffect(() => {
    const onVisible = () => {
      if (document.visibilityState === 'visible') void reload();
    };
    void reload();
    document.addEventListener('visibilitychange', onVisible);
    return () => {
      clearTimeout(timer.current);
      document.removeEventListener('visibilitychange', onVisible);
    };
  }, [reload]);

  return { server, failure, reload };
}
