/** The searches that this browser made, for a person to go back to. Only this browser keeps them. */

import { fromAddress, toAddress } from './address.ts';
import { isEmpty, type Query } from './query.ts';

const key = 'lincir:searches';
const most = 50;

export interface PastSearch {
  /** The query as the page's address has it. */
  readonly address: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** Puts a search first, once. */
export function remember(searches: readonly PastSearch[], query: Query, at: number): PastSearch[] {
  if (isEmpty(query)) return [...searches];
  const address = toAddress(query);
  return [{ address, at }, ...searches.filter((other) => other.address !== address)].slice(0, most);
}

export function readSearches(storage: Pick<Storage, 'getItem'>): PastSearch[] {
  let stored: unknown;
  try {
    stored = JSON.parse(storage.getItem(key) ?? '[]');
  } catch {
    return []; // Not ours, or no storage here.
  }
  if (!Array.isArray(stored)) return [];
  return stored
    .filter(
      (one): one is PastSearch =>
        typeof one === 'object' &&
        one !== null &&
        typeof one.address === 'string' &&
        typeof one.at === 'number' &&
        !isEmpty(fromAddress(one.address)),
    )
    .slice(0, most);
}

export function writeSearches(storage: Pick<Storage, 'setItem'>, searches: readonly PastSearch[]): void {
  try {
    storage.setItem(key, JSON.stringify(searches));
  } catch {
    // A full or forbidden storage costs the history only.
  }
}
