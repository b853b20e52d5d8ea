/** phi's parameters side by side in one array, so that what is done to all of them is one loop. */

import { elementCount } from '../core/index.ts';
import { type PhiParameters, type PhiShape, phiParameterShapes } from '../phi/index.ts';

export interface FlatParameters {
  /** All values, in the order of the names. */
  readonly values: Float32Array;
  /** Views of `values`, by name. */
  readonly tensors: PhiParameters;
}

/** Room for the parameters of a phi, with copies of `initial` in it or else zeros. */
export function flatParameters(shape: PhiShape, initial?: PhiParameters): FlatParameters {
  const shapes = [...phiParameterShapes(shape)];
  const values = new Float32Array(shapes.reduce((sum, [, sizes]) => sum + elementCount(sizes), 0));
  let begin = 0;
  const tensors = shapes.map(([name, sizes]) => {
    const data = values.subarray(begin, begin + elementCount(sizes));
    begin += data.length;
    const given = initial?.get(name);
    if (given) data.set(given.data);
    return [name, { shape: sizes, data }] as const;
  });
  return { values, tensors: new Map(tensors) };
}
