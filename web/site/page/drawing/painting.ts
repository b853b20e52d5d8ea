/** Keeps drawings painted, each in the size that it has. A thread of its own paints them, so that the page need not wait. */

import { sceneKey } from '../../../../src/mini/portable.ts';
import { startWorker } from '../../shell/start-worker.ts';
import { Caller } from '../../world/calls.ts';
import type { Scene } from '../../world/protocol.ts';
import { bitmapOf } from './paint.ts';
import type { PaintingFunctions } from './painting-worker.ts';
import script from './painting-worker.ts?worker&url';

interface Drawn {
  readonly scene: Scene;
  readonly variant: number;
}

/** Drawings that the thread gets at once. The others wait here, where they may still be given up. */
const atOnce = 3;
/** Bitmaps that are kept, since the same drawings come up again and again. */
const most = 240;

const drawings = new WeakMap<Element, Drawn>();
const bitmaps = new Map<string, Promise<ImageBitmap>>();
/** Pixels of a side, in the order in which they are wanted. */
const wanted = new Map<HTMLCanvasElement, number>();
let underWay = 0;
let painter: Caller<PaintingFunctions> | undefined;

const hasPixels = 'devicePixelContentBoxSize' in ResizeObserverEntry.prototype;
/** Tells of a size first when there is one: what is far below the screen is not painted before it comes near. */
const sizes = new ResizeObserver((entries) => {
  for (const { target, contentRect, devicePixelContentBoxSize } of entries) {
    const side = hasPixels
      ? devicePixelContentBoxSize[0]!.inlineSize
      : Math.round(contentRect.width * devicePixelRatio);
    if (side > 0) wanted.set(target as HTMLCanvasElement, side);
  }
  paintSome();
});

/** Paints a drawing on a canvas, and again when its size changes. Returns what ends that. */
export function keepPainted(canvas: HTMLCanvasElement, drawn: Drawn): () => void {
  drawings.set(canvas, drawn);
  sizes.observe(canvas, { box: hasPixels ? 'device-pixel-content-box' : 'content-box' });
  return () => {
    sizes.unobserve(canvas);
    drawings.delete(canvas);
    wanted.delete(canvas);
  };
}

function paintSome(): void {
  for (const [canvas, side] of wanted) {
    const drawn = drawings.get(canvas)!;
    const key = `${side} ${drawn.variant} ${sceneKey(drawn.scene)}`;
    const known = bitmaps.get(key);
    if (known === undefined && underWay === atOnce) continue;
    wanted.delete(canvas);
    const bitmap = known ?? painted(drawn, side);
    keep(key, bitmap);
    void bitmap.then((one) => {
      // Meanwhile the canvas may have got another drawing.
      if (drawings.get(canvas) === drawn) show(canvas, one);
    });
  }
}

async function painted({ scene, variant }: Drawn, side: number): Promise<ImageBitmap> {
  underWay += 1;
  painter ??= new Caller(startPainter());
  // Without such threads, this one paints.
  const bitmap = await painter
    .call('paint', [scene, side, variant])
    .catch(() => bitmapOf(scene, side, variant));
  underWay -= 1;
  queueMicrotask(paintSome);
  return bitmap;
}

function startPainter(): Worker {
  const worker = startWorker(new URL(script, import.meta.url).href, 'painting');
  worker.addEventListener('error', (event) => {
    event.preventDefault();
    painter!.fail(new Error(event.message));
  });
  return worker;
}

/** As the newest. */
function keep(key: string, bitmap: Promise<ImageBitmap>): void {
  bitmaps.delete(key);
  bitmaps.set(key, bitmap);
  for (const [oldest, old] of bitmaps) {
    if (bitmaps.size <= most) return;
    bitmaps.delete(oldest);
    void old.then((one) => one.close());
  }
}

function show(canvas: HTMLCanvasElement, bitmap: ImageBitmap): void {
  if (canvas.width !== bitmap.width) [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
  canvas.getContext('2d')!.drawImage(bitmap, 0, 0);
}
