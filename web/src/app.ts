/** What all parts of the page share: the server, the index, the query and how to change it. */

import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { IndexAnswer, ServerAnswer } from '../../src/api/index.ts';
import type { Pictures } from './pictures.ts';
import type { Query } from './query.ts';
import type { Results } from './results.ts';
import type { Route } from './route.ts';

export interface App {
  readonly server: ServerAnswer;
  readonly index: IndexAnswer;
  readonly route: Route;
  readonly query: Query;
  readonly results: Results;
  readonly pictures: Pictures;
  /** Searches for another query, together with the words that stand in the fields. */
  change(edit: (query: Query) => Query): void;
  /** Tells people who listen to the page. */
  announce(message: string): void;
  /** Shows a message for a while. */
  notify(message: string): void;
}

export const AppContext = createContext<App | undefined>(undefined);

export function useApp(): App {
  const app = useContext(AppContext);
  if (app === undefined) throw new Error('outside of the page');
  return app;
}
