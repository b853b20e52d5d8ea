/** The thread that paints drawings. */

import '../../shell/no-eval.ts';
import { answer } from '../../world/calls.ts';
import { bitmapOf } from './paint.ts';

const functions = { paint: bitmapOf };
export type PaintingFunctions = typeof functions;

answer(globalThis as never, functions);
