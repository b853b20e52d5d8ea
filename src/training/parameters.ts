/** phi's parameters in one array, so that one loop handles all of them. */

import { elementCount } from '../core/index.ts';
import { type PhiParameters, type PhiShape, phiParameterShapes } from '../phi/index.ts';

export interface FlatParameters {
  /** All values, in the order of the names. */
  readonly values: Float32Array;
  /** Views of `values`, by name. */
  readonly tensors: PhiParameters;
}

/** Makes room for a phi's parameters, filled with copies of `initial` or with zeros. */
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
