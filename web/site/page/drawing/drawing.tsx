/** A picture of the miniature world, drawn as sharp as the screen allows. */

import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Scene } from '../../world/protocol.ts';
import { describe } from '../describe.ts';
import { keepPainted } from './painting.ts';

export function Drawing({
  scene,
  variant = 0,
  alt = describe(scene),
}: {
  readonly scene: Scene;
  readonly variant?: number;
  /** Empty where its words stand beside it. */
  readonly alt?: string;
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => keepPainted(canvas.current!, { scene, variant }), [scene, variant]);
  return <canvas ref={canvas} class="drawing" {...(alt !== '' && { role: 'img', 'aria-label': alt })} />;
}
