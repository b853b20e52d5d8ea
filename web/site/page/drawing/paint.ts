/**
 * Paints drawings of the miniature world on a canvas. To browsers, each SVG image is a page of its own, on the thread of the
 * page that shows it: it takes milliseconds, and each answer brings thirty.
 */

import { type Scene, sceneSvg } from '../../../../src/mini/portable.ts';

type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;
type Attributes = Readonly<Record<string, string>>;

/** A mark on a ground, which repeats inside an outline. */
interface Pattern {
  readonly transform: string;
  readonly tile: number;
  ground: string;
  mark: { readonly path: string; readonly fill: string };
}

/** Of the scene's own coordinates. */
const field = 64;
/** How far tiles go from an outline's middle, at least: the corners of a triangle are at 1.43, and patterns may be moved. */
const reach = 1.8;

/** Covers a square of `side` pixels. */
export function paintScene(context: Context, scene: Scene, side: number, variant = 0): void {
  context.save();
  context.scale(side / field, side / field);
  context.miterLimit = 4; // as SVG has it
  new Painter(context).paint(sceneSvg(scene, side, variant));
  context.restore();
}

export function bitmapOf(scene: Scene, side: number, variant = 0): ImageBitmap {
  const canvas = new OffscreenCanvas(side, side);
  paintScene(canvas.getContext('2d')!, scene, side, variant);
  return canvas.transferToImageBitmap();
}

/** Paints the part of SVG that drawings are made of. */
class Painter {
  readonly #context: Context;
  readonly #gradients = new Map<string, CanvasGradient>();
  readonly #patterns = new Map<string, Pattern>();
  #gradient: CanvasGradient | undefined;
  /** The one whose marks are being read. */
  #pattern: Pattern | undefined;

  constructor(context: Context) {
    this.#context = context;
  }

  paint(svg: string): void {
    for (const [, name, text] of svg.matchAll(/<(\/?\w+)([^>]*)>/g)) this.#take(name!, attributesOf(text!));
  }

  #take(name: string, given: Attributes): void {
    switch (name) {
      case 'linearGradient':
        this.#gradient = this.#context.createLinearGradient(
          0,
          0,
          field * number(given.x2),
          field * number(given.y2),
        );
        this.#gradients.set(given.id!, this.#gradient);
        break;
      case 'stop':
        this.#gradient!.addColorStop(number(given.offset), given['stop-color']!);
        break;
      case 'pattern':
        this.#pattern = {
          ...{ transform: given.patternTransform ?? '', tile: number(given.width) },
          ...{ ground: 'none', mark: { path: '', fill: 'none' } },
        };
        this.#patterns.set(given.id!, this.#pattern);
        break;
      case '/pattern':
        this.#pattern = undefined;
        break;
      case 'rect':
      case 'circle':
      case 'path':
        if (this.#pattern === undefined) this.#draw(shapeOf(name, given), given);
        else if (name === 'rect') this.#pattern.ground = given.fill!;
        else this.#pattern.mark = { path: given.d!, fill: given.fill! };
    }
  }

  #draw(path: Path2D, given: Attributes): void {
    const context = this.#context;
    context.save();
    transform(context, given.transform ?? '');
    context.globalAlpha = number(given['fill-opacity'], 1);
    this.#fill(path, given.fill ?? '#000');
    context.globalAlpha = 1;
    if (given.stroke) {
      context.strokeStyle = given.stroke;
      context.lineWidth = number(given['stroke-width'], 1);
      context.lineJoin = (given['stroke-linejoin'] ?? 'miter') as CanvasLineJoin;
      context.stroke(path);
    }
    context.restore();
  }

  #fill(path: Path2D, fill: string): void {
    if (fill === 'none') return;
    const context = this.#context;
    const [, id] = /^url\(#(.+)\)$/.exec(fill) ?? [];
    const pattern = id === undefined ? undefined : this.#patterns.get(id);
    if (pattern) {
      const { transform: moved, tile, ground, mark } = pattern;
      this.#fill(path, ground);
      context.save();
      context.clip(path);
      transform(context, moved);
      context.fillStyle = mark.fill;
      context.fill(repeated(mark.path, tile));
      context.restore();
    } else {
      context.fillStyle = id === undefined ? fill : this.#gradients.get(id)!;
      context.fill(path);
    }
  }
}

function attributesOf(text: string): Attributes {
  return Object.fromEntries(
    Array.from(text.matchAll(/([\w-]+)="([^"]*)"/g), ([, name, value]) => [name!, value!]),
  );
}

function number(text: string | undefined, otherwise = 0): number {
  return text === undefined ? otherwise : Number(text);
}

function shapeOf(name: 'rect' | 'circle' | 'path', given: Attributes): Path2D {
  if (name === 'path') return new Path2D(given.d);
  const path = new Path2D();
  if (name === 'rect') path.rect(0, number(given.y), number(given.width), number(given.height));
  else path.arc(number(given.cx), number(given.cy), number(given.r), 0, 2 * Math.PI);
  return path;
}

/** One after the other, as they stand: `translate(3 4) rotate(-45) scale(8.6)`. */
function transform(context: Context, text: string): void {
  for (const [, name, numbers] of text.matchAll(/(\w+)\(([^)]*)\)/g)) {
    const [x = 0, y] = numbers!.split(' ').map(Number);
    if (name === 'translate') context.translate(x, y ?? 0);
    else if (name === 'rotate') context.rotate((x * Math.PI) / 180);
    else context.scale(x, y ?? x);
  }
}

const made = new Map<string, Path2D>();

function repeated(mark: string, tile: number): Path2D {
  const known = made.get(mark);
  if (known) return known;
  const one = new Path2D(mark);
  const all = new Path2D();
  const most = Math.ceil(reach / tile);
  for (let row = -most; row < most; row += 1) {
    for (let column = -most; column < most; column += 1) {
      all.addPath(one, { e: column * tile, f: row * tile });
    }
  }
  made.set(mark, all);
  return all;
}
