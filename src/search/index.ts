/** Searches with everything loaded: searchers, and inversion with its cache. */

export { type OpenInversionOptions, openInversion } from './open-inversion.ts';
export {
  type SearchEvent,
  Searcher,
  type SearcherOptions,
  type SearchRequest,
  type SearchResults,
} from './searcher.ts';
