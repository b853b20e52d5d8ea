/** Images for terminals: the sequences say what they shall, and hold the image. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { type TerminalGraphics, terminalGraphics, terminalImage } from './pictures.ts';

const red = { r: 220, g: 40, b: 30 };
const blue = { r: 20, g: 60, b: 200 };
const all = ['kitty', 'iterm2', 'sixel'] as const;

/** Red on the left, blue on the right. */
async function twoColours(width = 80, height = 60): Promise<Buffer> {
  const half = { create: { width: width / 2, height, channels: 3, background: blue } } as const;
  return sharp({ create: { width, height, channels: 3, background: red } })
    .composite([{ input: half, left: width / 2, top: 0 }])
    .png()
    .toBuffer();
}

async function noise(): Promise<Buffer> {
  const gaussian = { type: 'gaussian', mean: 128, sigma: 50 } as const;
  return sharp({ create: { width: 200, height: 200, channels: 3, background: 'red', noise: gaussian } })
    .png()
    .toBuffer();
}

function kittyPicture(text: string): { readonly keys: string; readonly png: Buffer } {
  const parts = [...text.matchAll(/\x1b_G([^;]*);([A-Za-z0-9+/=]*)\x1b\\/gy)];
  assert.equal(parts.map(([part]) => part).join(''), text);
  for (const [position, [, keys, data]] of parts.entries()) {
    assert.ok(data!.length <= 4096);
    assert.match(keys!, position < parts.length - 1 ? /q=2,m=1$/ : /q=2,m=0$/);
    if (position < parts.length - 1) assert.equal(data!.length % 4, 0);
  }
  return { keys: parts[0]![1]!, png: Buffer.from(parts.map(([, , data]) => data).join(''), 'base64') };
}

function iterm2Picture(text: string): { readonly height: string; readonly image: Buffer } {
  const [, size, height, data] = /^\x1b\]1337;File=inline=1;size=(\d+);height=(\d+):([^:\x07]*)\x07$/.exec(
    text,
  )!;
  const image = Buffer.from(data!, 'base64');
  assert.equal(image.length, Number(size));
  return { height: height!, image };
}

interface Decoded {
  readonly width: number;
  readonly height: number;
  readonly colours: number;
  /** Red, green, blue; -1 where nothing was drawn. */
  readonly at: (x: number, y: number) => number[];
}

function sixelPicture(text: string): Decoded {
  const [, width, height, body] = /^\x1bP0;1;0q"1;1;(\d+);(\d+)([\x21-\x7e]*)\x1b\\$/.exec(text)!;
  const palette = new Map<string, number[]>();
  const pixels = new Map<string, string>();
  let [x, top, colour] = [0, 0, ''];
  const pattern = /#(\d+);2;(\d+);(\d+);(\d+)|#(\d+)|!(\d+)([?-~])|([?-~])|([$-])/gy;
  let read = 0;
  for (const [part, defined, r, g, b, chosen, count = '1', repeated, single, end] of body!.matchAll(
    pattern,
  )) {
    read += part.length;
    if (defined !== undefined) palette.set(defined, [r, g, b].map(Number));
    if (chosen !== undefined) colour = chosen;
    if (end !== undefined) [x, top] = [0, end === '-' ? top + 6 : top];
    const bits = (repeated ?? single)?.charCodeAt(0);
    for (let column = 0; bits !== undefined && column < Number(count); column += 1, x += 1) {
      for (let line = 0; line < 6; line += 1) {
        if (((bits - 0x3f) >> line) & 1) pixels.set(`${x},${top + line}`, colour);
      }
    }
  }
  assert.equal(read, body!.length);
  assert.equal(pixels.size, Number(width) * Number(height));
  const at = (px: number, py: number) =>
    palette.get(pixels.get(`${px},${py}`)!)!.map((percent) => Math.round(percent * 2.55));
  return { width: Number(width), height: Number(height), colours: palette.size, at };
}

function expectNear(found: Iterable<number>, { r, g, b }: typeof red, tolerance: number): void {
  const differences = [...found].map((value, channel) => Math.abs(value - [r, g, b][channel]!));
  assert.equal(differences.length, 3);
  assert.ok(Math.max(...differences) <= tolerance, String([...found]));
}

async function expectTwoColours(image: Buffer, tolerance: number): Promise<void> {
  const { data, info } = await sharp(image).raw().toBuffer({ resolveWithObject: true });
  assert.equal(info.height, 10 * 24);
  assert.equal(info.width, 320);
  const at = (x: number) => data.subarray((120 * 320 + x) * 3, (120 * 320 + x) * 3 + 3);
  expectNear(at(40), red, tolerance);
  expectNear(at(280), blue, tolerance);
}

test('kitty gets a PNG in chunks, and gives no answer', async () => {
  const { keys, png } = kittyPicture((await terminalImage(await twoColours(), 'kitty', { rows: 10 }))!);
  assert.equal(keys, 'a=T,f=100,r=10,q=2,m=0');
  assert.equal((await sharp(png).metadata()).format, 'png');
  await expectTwoColours(png, 1);
  const long = kittyPicture((await terminalImage(await noise(), 'kitty'))!);
  assert.match(long.keys, /^a=T,f=100,r=12,q=2,m=1$/);
  assert.equal((await sharp(long.png).stats()).channels.length, 3);
});

test('iTerm2 gets an image in one piece', async () => {
  const text = await terminalImage(await twoColours(), 'iterm2', { rows: 10 });
  const { height, image } = iterm2Picture(text!);
  assert.equal(height, '10');
  await expectTwoColours(image, 6);
});

test('sixels draw every pixel once, in at most 256 colours', async () => {
  const decoded = sixelPicture((await terminalImage(await twoColours(), 'sixel', { rows: 7 }))!);
  assert.equal(decoded.height, 140);
  assert.equal(decoded.width, 187);
  for (const y of [0, 5, 6, 100, 139]) {
    expectNear(decoded.at(10, y), red, 5);
    expectNear(decoded.at(180, y), blue, 5);
  }
  const many = sixelPicture((await terminalImage(await noise(), 'sixel', { rows: 5 }))!);
  assert.ok(many.colours > 64 && many.colours <= 256, String(many.colours));

  const black = { create: { width: 12, height: 12, channels: 3, background: 'black' } } as const;
  const grey = await sharp(black).toColourspace('b-w').png().toBuffer();
  expectNear(
    sixelPicture((await terminalImage(grey, 'sixel', { rows: 1 }))!).at(3, 3),
    { r: 0, g: 0, b: 0 },
    0,
  );
});

test('a wide image is as wide as the columns, and has fewer rows', async () => {
  const wide = await twoColours(400, 50);
  const options = { rows: 12, columns: 40 };
  const { keys, png } = kittyPicture((await terminalImage(wide, 'kitty', options))!);
  assert.match(keys, /,r=3,/);
  assert.equal((await sharp(png).metadata()).width, 480);
  assert.equal(iterm2Picture((await terminalImage(wide, 'iterm2', options))!).height, '3');
  const decoded = sixelPicture((await terminalImage(wide, 'sixel', options))!);
  assert.deepEqual([decoded.width, decoded.height], [400, 50]);
});

test('transparency is white', async () => {
  const clear = { create: { width: 24, height: 24, channels: 4, background: '#ff000000' } } as const;
  const text = await terminalImage(await sharp(clear).png().toBuffer(), 'sixel', { rows: 1 });
  expectNear(sixelPicture(text!).at(3, 3), { r: 255, g: 255, b: 255 }, 0);
});

test('what is no image has none', async () => {
  for (const graphics of all) {
    assert.equal(await terminalImage('no/such/file.jpg', graphics), undefined);
    assert.equal(await terminalImage(import.meta.dirname, graphics), undefined);
    assert.equal(await terminalImage(import.meta.filename, graphics), undefined);
    assert.equal(await terminalImage((await noise()).subarray(0, 5000), graphics), undefined);
  }
});

test('terminals are known by their variables', () => {
  const known: readonly (readonly [TerminalGraphics | undefined, Readonly<Record<string, string>>])[] = [
    ['kitty', { TERM: 'xterm-kitty', KITTY_WINDOW_ID: '1' }],
    ['kitty', { TERM: 'xterm-256color', KITTY_WINDOW_ID: '1' }],
    ['kitty', { TERM: 'xterm-ghostty' }],
    ['kitty', { TERM: 'xterm-256color', TERM_PROGRAM: 'ghostty' }],
    ['iterm2', { TERM: 'xterm-256color', TERM_PROGRAM: 'iTerm.app', LC_TERMINAL: 'iTerm2' }],
    ['iterm2', { TERM: 'xterm-256color', LC_TERMINAL: 'iTerm2' }],
    ['iterm2', { TERM: 'xterm-256color', TERM_PROGRAM: 'WezTerm' }],
    ['sixel', { TERM: 'foot-extra' }],
    ['sixel', { TERM: 'foot', KITTY_WINDOW_ID: '1' }],
    ['sixel', { TERM: 'mlterm-256color' }],
    ['sixel', { TERM: 'xterm', MLTERM: '3.9.3' }],
    ['sixel', { TERM: 'contour' }],
    ['sixel', { TERM: 'yaft-256color' }],
    ['sixel', { TERM: 'vt340-sixel' }],
    ['sixel', { WT_SESSION: '41f5b5e6' }],
    [undefined, {}],
    [undefined, { TERM: 'xterm-256color' }],
    [
      undefined,
      { TERM: 'xterm-256color', TERM_PROGRAM: 'vscode', KITTY_WINDOW_ID: '1', LC_TERMINAL: 'iTerm2' },
    ],
    [undefined, { TERM: 'xterm-256color', TERM_PROGRAM: 'constructor' }],
    [undefined, { TERM: 'xterm-kitty', TMUX: '/tmp/tmux-0/default,1,0' }],
    [undefined, { TERM: 'tmux-256color', KITTY_WINDOW_ID: '1' }],
    [undefined, { TERM: 'screen.xterm-256color', TERM_PROGRAM: 'iTerm.app' }],
    [undefined, { TERM: 'dumb', KITTY_WINDOW_ID: '1' }],
  ];
  for (const [graphics, environment] of known) {
    assert.equal(terminalGraphics(environment), graphics, JSON.stringify(environment));
  }
});
