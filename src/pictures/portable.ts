/** What needs no platform of pictures: which names are those of images, and what cameras write into files. */

export { endingOf, isSystemName, looksOf } from './endings.ts';
export { type Exif, exifOf } from './exif.ts';
