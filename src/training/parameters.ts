/** phi's parameters in one array, so that one pass handles all of them. */

import { elementCount } from '../core/index.ts';
import { type PhiParameters, type PhiShape, phiParameterShapes } from '../phi/index.ts';

export interface FlatParameters {
  /** All values, in the order of the names. */
  readonly values: Float32Array;
  /** Views of `values`, by name. */
  readonly tensors: PhiParameters;
}

/** Makes an array of zeros. */
export type MakeArray = (count: number) => Float32Array<ArrayBuffer>;

export const newArray: MakeArray = (count) => new Float32Array(count);

/** How many parameters a phi has. */
export function parameterCount(shape: PhiShape): number {
  return [...phiParameterShapes(shape).values()].reduce((sum, sizes) => sum + elementCount(sizes), 0);
}

/** Makes room for a phi's parameters, filled with copies of `initial` or with zeros. */
export function flatParameters(
  shape: PhiShape,
  initial?: PhiParameters,
  makeArray = newArray,
): FlatParameters {
  const values = makeArray(parameterCount(shape));
  let begin = 0;
  const tensors = [...phiParameterShapes(shape)].map(([name, sizes]) => {
    const data = values.subarray(begin, begin + elementCount(sizes));
    begin += data.length;
    const given = initial?.get(name);
    if (given) data.set(given.data);
    return [name, { shape: sizes, data }] as const;
  });
  return { values, tensors: new Map(tensors) };
}
