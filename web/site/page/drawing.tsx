/** A picture of the miniature world, drawn as sharp as the screen allows. */

import type { Scene } from '../world/protocol.ts';
import { describe, drawingOf } from './describe.ts';

export function Drawing({
  scene,
  variant = 0,
  alt = describe(scene),
}: {
  readonly scene: Scene;
  readonly variant?: number;
  readonly alt?: string;
}) {
  return <img class="drawing" src={drawingOf(scene, variant)} alt={alt} decoding="async" draggable={false} />;
}
