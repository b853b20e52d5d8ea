/** What needs no platform of pictures: which names are those of images. */

export { endingOf, isSystemName, looksOf } from './endings.ts';
