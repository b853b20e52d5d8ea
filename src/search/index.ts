/** Searches with everything loaded: sessions, and inversion with its cache. */

export { type OpenInversionOptions, openInversion } from './open-inversion.ts';
export {
  type SearchEvent,
  type SearchRequest,
  type SearchResults,
  SearchSession,
  type SearchSessionOptions,
} from './session.ts';
