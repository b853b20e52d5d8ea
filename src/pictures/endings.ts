/** Which files are images, by the ends of their names: those that are taken, and those that are not. */

/** What an image's file may end in. What it is, its contents tell when it is read. */
export const takenEndings: ReadonlySet<string> = new Set([
  ...['jpg', 'jpeg', 'jpe', 'jfif', 'pjpeg', 'pjp', 'mpo'],
  ...['png', 'apng', 'webp', 'gif', 'tif', 'tiff', 'svg', 'bmp', 'dib'],
  ...['avif', 'avifs', 'heic', 'heics', 'heif', 'heifs', 'hif', 'jxl'],
  ...['jp2', 'j2k', 'j2c', 'jpc', 'jpf', 'jpx'],
  // Raw images of cameras, of which the preview is taken that lies in them.
  ...[
    '3fr',
    'arw',
    'cr2',
    'cr3',
    'dcr',
    'dng',
    'erf',
    'fff',
    'gpr',
    'iiq',
    'kdc',
    'mef',
    'mos',
    'mrw',
    'nef',
  ],
  ...['nrw', 'orf', 'pef', 'raf', 'rw2', 'rwl', 'sr2', 'srf', 'srw'],
]);

/** What looks like an image too, and is not taken. */
export const leftOutEndings: ReadonlySet<string> = new Set([
  // Of programs that make images.
  ...['ai', 'afphoto', 'cdr', 'clip', 'eps', 'indd', 'kra', 'ora', 'psb', 'psd', 'sketch', 'xcf'],
  ...[
    'bpg',
    'cin',
    'dds',
    'djvu',
    'dpx',
    'exr',
    'flif',
    'hdr',
    'jls',
    'jxr',
    'hdp',
    'wdp',
    'qoi',
    'sgi',
    'tga',
  ],
  ...['cur', 'ico', 'icns', 'emf', 'wmf', 'pict', 'pct', 'pcx', 'ras', 'xbm', 'xpm', 'svgz', 'livp'],
  // What moves, of which phones make a lot beside images.
  ...['mov', 'mp4', 'm4v', 'avi', 'mkv', 'webm', '3gp', 'mts', 'm2ts', 'mpg', 'mpeg', 'wmv', 'flv'],
  ...['pam', 'pbm', 'pgm', 'pnm', 'ppm', 'pfm', 'dcm', 'fit', 'fits', 'crw', 'raw', 'x3f'],
]);

/** A name's ending, in small letters and without the point; empty if it has none. */
export function endingOf(name: string): string {
  return /[^/\\]\.([^./\\]+)$/.exec(name)?.[1]?.toLowerCase() ?? '';
}
