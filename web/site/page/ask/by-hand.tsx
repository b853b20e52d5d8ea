/** A dialog to draw a picture by hand: a place behind, and a brush in the world's colours. */

import { useEffect, useRef, useState } from 'preact/hooks';
import type { Scene } from '../../../../src/mini/portable.ts';
import { Dialog } from '../../../src/dialog.tsx';
import { Icon } from '../../../src/icons.tsx';
import { paintScene } from '../drawing/paint.ts';
import { Places } from './builder.tsx';
import { shrunk } from './pixels.ts';
import type { Reference } from './question.ts';

const side = 320;
/** The world's own colours, as it paints them. */
const paints = {
  red: '#e5202c',
  orange: '#ff7f11',
  yellow: '#ffdc1f',
  green: '#12993d',
  blue: '#1f5cf0',
  purple: '#8a2fd0',
  pink: '#ff5fb6',
  black: '#15151b',
} as const;
type Paint = keyof typeof paints;

export function ByHand({
  onUse,
  onClose,
}: {
  readonly onUse: (reference: Reference) => void;
  readonly onClose: () => void;
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [background, setBackground] = useState<Scene['background']>('beach');
  const [paint, setPaint] = useState<Paint>('red');
  const [width, setWidth] = useState(26);
  const ground = useGround(canvas, background);
  const use = () => {
    const drawn = canvas.current!;
    onUse({ kind: 'drawn', pixels: shrunk(drawn), address: drawn.toDataURL() });
  };
  return (
    <Dialog title="Draw a picture" onClose={onClose}>
      <p class="note">
        Large simple shapes work best: a heart, a star, two circles. The model has seen no others. Without a
        pointer, choose “Build”, which puts pictures together from parts.
      </p>
      <div class="builder by-hand">
        <canvas
          ref={canvas}
          width={side}
          height={side}
          role="img"
          aria-label="Your drawing"
          onPointerDown={(event) => {
            event.currentTarget.setPointerCapture(event.pointerId);
            stroke(event, paints[paint], width, true);
          }}
          onPointerMove={(event) => {
            if (event.buttons === 1) stroke(event, paints[paint], width, false);
          }}
        />
        <div class="field">
          <Places chosen={background} onChoose={setBackground} />
          <fieldset class="paints">
            <legend class="hidden">Colour</legend>
            {(Object.keys(paints) as Paint[]).map((name) => (
              <label key={name} title={name}>
                <input
                  type="radio"
                  name="paint"
                  aria-label={name}
                  checked={name === paint}
                  onChange={() => setPaint(name)}
                />
                <span style={{ backgroundColor: paints[name] }} />
              </label>
            ))}
          </fieldset>
          <label class="slider">
            Brush
            <input
              type="range"
              min={6}
              max={60}
              value={width}
              onInput={({ currentTarget }) => setWidth(Number(currentTarget.value))}
            />
          </label>
          <div class="line">
            <button type="button" class="quiet" onClick={ground}>
              <Icon name="undo" /> Clear
            </button>
            <span class="space" />
            <button type="button" class="strong" onClick={use}>
              Use this picture
            </button>
          </div>
        </div>
      </div>
    </Dialog>
  );
}

/** Fills the canvas with a place, now and whenever the place changes or the returned function is called. */
function useGround(canvas: { readonly current: HTMLCanvasElement | null }, background: Scene['background']) {
  const fill = () => paintScene(canvas.current!.getContext('2d')!, { background, objects: [] }, side);
  useEffect(fill, [background]);
  return fill;
}

const last = { x: 0, y: 0 };

function stroke(
  { currentTarget, offsetX, offsetY }: PointerEvent & { readonly currentTarget: HTMLCanvasElement },
  colour: string,
  width: number,
  isNew: boolean,
): void {
  const context = currentTarget.getContext('2d')!;
  const scale = side / currentTarget.clientWidth;
  const at = { x: offsetX * scale, y: offsetY * scale };
  if (isNew) Object.assign(last, at);
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.lineCap = 'round';
  context.beginPath();
  context.moveTo(last.x, last.y);
  context.lineTo(at.x, at.y);
  context.stroke();
  Object.assign(last, at);
}
