/** What an architecture of phi has of its own: three linear layers, and what stands between them. */

import type * as Onnx from '../../onnx/index.ts';

export interface Architecture {
  /** Names of the three linear layers in files, first to last. */
  readonly layers: readonly [string, string, string];
  /** Width of both hidden layers. */
  readonly hidden: (input: number) => number;
  /** The part of a hidden layer's values that training drops, if nothing else is asked for. */
  readonly dropout: number;
  /**
   * A hidden layer behind its linear part; `drop` is nothing outside of training. It gets the operators, so that whoever
   * only wants to know the architectures' names loads none.
   */
  readonly activate: (onnx: typeof Onnx, x: Onnx.Value, drop: (x: Onnx.Value) => Onnx.Value) => Onnx.Value;
}
