/** Shows images in a terminal: by kitty's protocol, by iTerm2's, or as sixels. */

import sharp from 'sharp';
import { shrunkImage } from '../../pictures/index.ts';

export type TerminalGraphics = 'kitty' | 'iterm2' | 'sixel';

interface TerminalImageOptions {
  /** How many lines high, at most. Default 12. */
  readonly rows?: number;
  /** How many characters wide, at most. Default 80. */
  readonly columns?: number;
}

/**
 * The graphics that the terminal with these environment variables shows; undefined if none are known. We do not query the
 * terminal, because its answer would mix with what the user types.
 */
export function terminalGraphics(
  environment: Readonly<Record<string, string | undefined>>,
): TerminalGraphics | undefined {
  const { TERM = '', TERM_PROGRAM, LC_TERMINAL, KITTY_WINDOW_ID, MLTERM, WT_SESSION } = environment;
  // These pass images on only if they are configured to.
  const { TMUX, STY, ZELLIJ } = environment;
  if (TMUX || STY || ZELLIJ || /^(?:screen|tmux|dumb)/.test(TERM)) return undefined;

  if (/^xterm-(?:kitty|ghostty)/.test(TERM)) return 'kitty';
  if (/sixel|^(?:mlterm|foot|contour|yaft)\b/.test(TERM)) return 'sixel';
  // A terminal started from another one inherits its variables, but sets its own name.
  if (TERM_PROGRAM) return programs.get(TERM_PROGRAM.toLowerCase());
  if (LC_TERMINAL) return programs.get(LC_TERMINAL.toLowerCase());
  if (KITTY_WINDOW_ID) return 'kitty';
  return MLTERM || WT_SESSION ? 'sixel' : undefined;
}

/**
 * An image as escape sequences. They leave the cursor on the image's last line, so a line end must follow.
 * @param picture a path or an encoded image's bytes
 * @returns undefined if the image cannot be read
 */
export async function terminalImage(
  picture: string | Uint8Array,
  graphics: TerminalGraphics,
  { rows = 12, columns = 80 }: TerminalImageOptions = {},
): Promise<string | undefined> {
  const cell = graphics === 'sixel' ? sixelCell : { width: 12, height: 24 };
  const size = { width: columns * cell.width, height: rows * cell.height };
  const bytes = await shrunkImage(picture, (image) => {
    const fitted = image.resize({ ...size, fit: 'inside' });
    if (graphics === 'iterm2') return fitted.jpeg({ quality: 85 });
    return fitted.png(graphics === 'sixel' ? { palette: true, colours: sixelColours } : {});
  });
  if (bytes === undefined) return undefined;
  if (graphics === 'sixel') return sixels(bytes);
  const { height } = await sharp(bytes).metadata();
  // A wide image fills the columns before the rows.
  const filled = Math.max(1, Math.round(height / cell.height));
  return graphics === 'kitty' ? kittySequence(bytes, filled) : iterm2Sequence(bytes, filled);
}

/** By TERM_PROGRAM or LC_TERMINAL. WezTerm knows kitty's protocol too, but may have it switched off. */
const programs: ReadonlyMap<string, TerminalGraphics> = new Map([
  ['ghostty', 'kitty'],
  ['kitty', 'kitty'],
  ['iterm.app', 'iterm2'],
  ['iterm2', 'iterm2'],
  ['wezterm', 'iterm2'],
  ['contour', 'sixel'],
  ['mlterm', 'sixel'],
]);

/** A character's size on the VT340, in pixels. Windows Terminal scales sixels to fit it. */
const sixelCell = { width: 10, height: 20 } as const;
/** Terminals need not have more colours. */
const sixelColours = 256;

/** https://sw.kovidgoyal.net/kitty/graphics-protocol/ */
function kittySequence(png: Uint8Array, rows: number): string {
  const chunks = Buffer.from(png)
    .toString('base64')
    .match(/.{1,4096}/g)!;
  const sequences = chunks.map((chunk, index) => {
    const begin = index === 0 ? `a=T,f=100,r=${rows},` : '';
    // In every chunk, q=2 suppresses the terminal's answer, which would be read as typed text.
    return `\x1b_G${begin}q=2,m=${index < chunks.length - 1 ? 1 : 0};${chunk}\x1b\\`;
  });
  return sequences.join('');
}

/** https://iterm2.com/documentation-images.html */
function iterm2Sequence(image: Uint8Array, rows: number): string {
  const data = Buffer.from(image).toString('base64');
  return `\x1b]1337;File=inline=1;size=${image.length};height=${rows}:${data}\x07`;
}

/**
 * Encodes an image of few colours as bands of six lines. For each colour in a band, it says which pixels have it.
 * https://vt100.net/docs/vt3xx-gp/chapter14.html
 */
async function sixels(png: Uint8Array): Promise<string> {
  const image = sharp(png).removeAlpha().toColourspace('srgb').raw();
  const { data, info } = await image.toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  const palette = new Map<number, number>();
  const bands: string[] = [];
  for (let top = 0; top < height; top += 6) {
    const band = new Map<number, Uint8Array>();
    for (let y = top; y < Math.min(top + 6, height); y += 1) {
      for (let x = 0; x < width; x += 1) {
        const colour = data.readUIntBE((y * width + x) * channels, 3);
        if (!palette.has(colour)) palette.set(colour, palette.size);
        const index = palette.get(colour)!;
        if (!band.has(index)) band.set(index, new Uint8Array(width));
        band.get(index)![x]! |= 1 << (y - top);
      }
    }
    bands.push([...band].map(([index, columns]) => `#${index}${runs(columns)}`).join('$'));
  }
  const percent = (byte: number) => Math.round((byte * 100) / 255);
  const definitions = [...palette].map(([colour, index]) => {
    const parts = [colour >> 16, (colour >> 8) & 0xff, colour & 0xff].map(percent);
    return `#${index};2;${parts.join(';')}`;
  });
  return `\x1bP0;1;0q"1;1;${width};${height}${definitions.join('')}${bands.join('-')}\x1b\\`;
}

/** A line of sixels, each of six pixels from top to bottom. Repeated ones are counted. */
function runs(columns: Uint8Array): string {
  const text = Buffer.from(columns.map((bits) => bits + 0x3f)).toString('latin1');
  return text.replace(/(.)\1{3,}/g, (run) => `!${run.length}${run[0]}`);
}
