/** Tells images by the endings of their names: those that lincir takes, and those that it does not. */

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
