/** Searching with everything loaded: what makes pseudo tokens, kept on disk where it takes long. */

export { type OpenInversionOptions, openInversion } from './open-inversion.ts';
