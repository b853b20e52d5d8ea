/** Tells images by their names: those that lincir takes, and those that it does not. */

/** By its name alone. `unclear`: read its beginning; `other`: not an image. */
export type Looks = 'taken' | 'left out' | 'unclear' | 'other';

/** Endings of files to read. Their contents then tell the format. */
export const takenEndings: ReadonlySet<string> = new Set([
  ...['jpg', 'jpeg', 'jpe', 'jfif', 'pjpeg', 'pjp', 'mpo'],
  ...['png', 'apng', 'webp', 'gif', 'tif', 'tiff', 'svg', 'bmp', 'dib'],
  ...['avif', 'avifs', 'heic', 'heics', 'heif', 'heifs', 'hif', 'jxl'],
  ...['jp2', 'j2k', 'j2c', 'jpc', 'jpf', 'jpx'],
  // Cameras' raw files, from which the preview is taken.
  ...['3fr', 'arw', 'cr2', 'cr3', 'dcr', 'dng', 'erf', 'fff', 'gpr', 'iiq', 'kdc', 'mef', 'mos'],
  ...['mrw', 'nef', 'nrw', 'orf', 'pef', 'raf', 'rw2', 'rwl', 'sr2', 'srf', 'srw'],
]);

/** Files that look like images, but are not taken. */
export const leftOutEndings: ReadonlySet<string> = new Set([
  // Files of graphics programs.
  ...['ai', 'afphoto', 'cdr', 'clip', 'eps', 'indd', 'kra', 'ora', 'psb', 'psd', 'sketch', 'xcf'],
  ...['bpg', 'cin', 'dds', 'djvu', 'dpx', 'exr', 'flif', 'hdr', 'jls', 'jxr', 'hdp', 'wdp', 'qoi'],
  ...['sgi', 'tga', 'cur', 'ico', 'icns', 'emf', 'wmf', 'pict', 'pct', 'pcx', 'ras', 'xbm', 'xpm'],
  ...['svgz', 'livp'],
  // Films, which phones make next to photos.
  ...['mov', 'mp4', 'm4v', 'avi', 'mkv', 'webm', '3gp', 'mts', 'm2ts', 'mpg', 'mpeg', 'wmv', 'flv'],
  ...['pam', 'pbm', 'pgm', 'pnm', 'ppm', 'pfm', 'dcm', 'fit', 'fits', 'crw', 'raw', 'x3f'],
]);

/** A name's ending in lower case, without the dot; empty if it has none. */
export function endingOf(name: string): string {
  return /[^/\\]\.([^./\\]+)$/.exec(name)?.[1]?.toLowerCase() ?? '';
}

export function looksOf(name: string): Looks {
  const ending = endingOf(name);
  if (takenEndings.has(ending)) return 'taken';
  if (leftOutEndings.has(ending)) return 'left out';
  // `photo`, `Scan 3.5.2024` and `a.jpg_large` have no telling ending, unlike `notes.txt`.
  return /^[a-z\d]{0,7}[a-z][a-z\d]{0,7}$/.test(ending) ? 'other' : 'unclear';
}

const systemName =
  /^(\..*|node_modules|@eaDir|__MACOSX|#recycle|@Recycle|\$Recycle\.Bin|RECYCLER|lost\+found|#snapshot|System Volume Information)$/i;

/** Hidden files, packages, repositories, and what systems and network storage keep for themselves. */
export function isSystemName(name: string): boolean {
  return systemName.test(name);
}
