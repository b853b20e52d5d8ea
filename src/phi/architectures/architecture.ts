/** An architecture of phi: three linear layers, and what is between them. */

import type * as Onnx from '../../onnx/index.ts';

export interface Architecture {
  /** Names of the three linear layers in files, first to last. */
  readonly layers: readonly [string, string, string];
  /** Where the authors' files have it: the key of its dictionary, and what they put before every name. */
  readonly published: { readonly key: string; readonly prefix: string };
  /** Width of both hidden layers. */
  readonly hidden: (input: number) => number;
  /** Default dropout: the part of a hidden layer's values that training drops. */
  readonly dropout: number;
  /**
   * The rest of a hidden layer after its linear part. Outside training, `drop` does nothing. It gets the operators as an
   * argument, so that listing the architectures' names loads none.
   */
  readonly activate: (onnx: typeof Onnx, x: Onnx.Value, drop: (x: Onnx.Value) => Onnx.Value) => Onnx.Value;
}
