/** Undo and redo along the browser's own history: where on the way of queries the page stands. */

/** What the page keeps in each entry of the browser's history. */
export interface Entry {
  /** How many changes of the query lie before this one. */
  readonly position: number;
  /** How far down the results were, in pixels, and how many were loaded. */
  readonly scroll: number;
  readonly loaded: number;
  /** The id of the image that is shown large. */
  readonly view?: string | undefined;
}

/** `furthest` is the position of the last query of the way. */
export interface Trail {
  readonly position: number;
  readonly furthest: number;
}

export const start: Trail = { position: 0, furthest: 0 };

/** A new query: what was undone before it is forgotten, as the browser forgets what lay ahead. */
export function advance({ position }: Trail): Trail {
  return { position: position + 1, furthest: position + 1 };
}

/** The browser went to an entry, by undo, redo, or its own buttons. */
export function travel({ furthest }: Trail, position: number): Trail {
  return { position, furthest: Math.max(furthest, position) };
}

export function canUndo({ position }: Trail): boolean {
  return position > 0;
}

export function canRedo({ position, furthest }: Trail): boolean {
  return position < furthest;
}

/** An entry of the browser's history, which another version of the page may have written. */
export function readEntry(state: unknown): Entry {
  const entry = (typeof state === 'object' && state !== null ? state : {}) as Record<string, unknown>;
  const number = (value: unknown) => (typeof value === 'number' && value >= 0 ? value : 0);
  return {
    position: number(entry.position),
    scroll: number(entry.scroll),
    loaded: number(entry.loaded),
    view: typeof entry.view === 'string' ? entry.view : undefined,
  };
}
