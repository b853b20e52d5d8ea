/** The page's address as its state: which query, how far down, which image large. Back, forward, undo and redo move along it. */

import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { fromAddress, toAddress } from './address.ts';
import type { Query } from './query.ts';
import { advance, canRedo, canUndo, type Entry, readEntry, start, type Trail, travel } from './trail.ts';

export interface Route {
  readonly query: Query;
  /** What the browser's history kept for this query. It changes when the person goes back or forward. */
  readonly entry: Entry;
  /** The id of the image that is shown large. */
  readonly view: string | undefined;
  /** Searches for another query. */
  change(query: Query): void;
  /** Shows an image large, another in its place, or none. */
  show(id: string | undefined): void;
  /** Keeps where the person is, for when they return. */
  keep(place: Pick<Entry, 'scroll' | 'loaded'>): void;
  readonly undo: (() => void) | undefined;
  readonly redo: (() => void) | undefined;
}

interface State {
  readonly query: Query;
  readonly entry: Entry;
  readonly trail: Trail;
}

export function useRoute(): Route {
  const [state, setState] = useState<State>(readLocation);
  const [view, setView] = useState(state.entry.view);
  const current = useRef(state);
  current.current = state;

  useEffect(() => {
    history.scrollRestoration = 'manual';
    const onPop = () => {
      const next = readLocation();
      setView(next.entry.view);
      const isSame = toAddress(next.query) === toAddress(current.current.query);
      // Closing a large image leaves the results as they are.
      if (isSame && next.entry.position === current.current.entry.position) return;
      setState({ ...next, trail: travel(current.current.trail, next.entry.position) });
    };
    addEventListener('popstate', onPop);
    return () => removeEventListener('popstate', onPop);
  }, []);

  const change = useCallback((query: Query) => {
    const address = toAddress(query);
    if (address === toAddress(current.current.query)) return;
    const trail = advance(current.current.trail);
    const entry: Entry = { position: trail.position, scroll: 0, loaded: 0 };
    const to = address === '' ? location.pathname : address;
    // Back leads to the results, not to the large image that the query was changed from.
    if (readEntry(history.state).view === undefined) history.pushState(entry, '', to);
    else history.replaceState(entry, '', to);
    rememberFurthest(trail);
    setView(undefined);
    setState({ query, entry, trail });
  }, []);

  const show = useCallback((id: string | undefined) => {
    const entry = readEntry(history.state);
    if (entry.view === id) return;
    if (id === undefined) history.back();
    else {
      const next = { ...entry, view: id };
      if (entry.view === undefined) history.pushState(next, '');
      else history.replaceState(next, '');
    }
    setView(id);
  }, []);

  const keep = useCallback((place: Pick<Entry, 'scroll' | 'loaded'>) => {
    history.replaceState({ ...readEntry(history.state), ...place }, '');
  }, []);

  const { query, entry, trail } = state;
  return useMemo(
    () => ({
      query,
      entry,
      view,
      change,
      show,
      keep,
      undo: canUndo(trail) ? () => history.back() : undefined,
      redo: canRedo(trail) ? () => history.forward() : undefined,
    }),
    [query, entry, trail, view, change, show, keep],
  );
}

const furthestKey = 'lincir:furthest';

function readLocation(): State {
  const entry = readEntry(history.state);
  let furthest = entry.position;
  try {
    // Reloaded in the middle of the way: redo still works. A new tab begins one.
    if (history.state !== null) furthest = Number(sessionStorage.getItem(furthestKey) ?? furthest);
  } catch {
    // No storage here.
  }
  return {
    query: fromAddress(location.search),
    entry,
    trail: travel({ ...start, furthest }, entry.position),
  };
}

function rememberFurthest({ furthest }: Trail): void {
  try {
    sessionStorage.setItem(furthestKey, `${furthest}`);
  } catch {
    // No storage here.
  }
}
