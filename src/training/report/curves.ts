/** Curves of any length in bounded memory: when there are too many points, neighbours are merged. */

export interface CurvePoint {
  /** The mean of the steps that share the point. */
  readonly step: number;
  /** The mean of their values, the least and the greatest of them. */
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** Number of values. */
  readonly count: number;
}

/** More would not be visible. */
const pointLimit = 512;

/** The values of a run's steps, added as they come. */
export class Curve {
  readonly #points: CurvePoint[] = [];
  /** How many steps share a point. */
  #width = 1;
  /** Values that no chart can show. */
  notFinite = 0;

  get points(): readonly CurvePoint[] {
    return this.#points;
  }

  /** Steps come in order. */
  add(step: number, value: number): void {
    if (!Number.isFinite(value)) {
      this.notFinite += 1;
      return;
    }
    this.#add({ step, value, low: value, high: value, count: 1 });
    while (this.#points.length > pointLimit) {
      this.#width *= 2;
      for (const point of this.#points.splice(0)) this.#add(point);
    }
  }

  #add(point: CurvePoint): void {
    const last = this.#points.at(-1);
    const group = ({ step }: CurvePoint) => Math.floor(step / this.#width);
    const isShared = last !== undefined && group(last) === group(point);
    this.#points.push(isShared ? merged(this.#points.pop()!, point) : point);
  }
}

function merged(a: CurvePoint, b: CurvePoint): CurvePoint {
  const count = a.count + b.count;
  const mean = (ofA: number, ofB: number) => ofA + ((ofB - ofA) * b.count) / count;
  return {
    step: mean(a.step, b.step),
    value: mean(a.value, b.value),
    low: Math.min(a.low, b.low),
    high: Math.max(a.high, b.high),
    count,
  };
}

/**
 * The values without their noise: at each point that of a straight line fitted to its neighbourhood, weighted by a
 * normal distribution whose standard deviation is 1.5 % of the curve's length (local linear regression: Cleveland,
 * 1979). Unlike a moving average it neither lags nor bends at the ends.
 */
export function smoothed(
  points: readonly { readonly step: number; readonly value: number; readonly count: number }[],
): number[] {
  const deviation = 0.015 * ((points.at(-1)?.step ?? 0) - (points[0]?.step ?? 0));
  let first = 0;
  return points.map(({ step, value }) => {
    let [weights, x, y, xx, xy] = [0, 0, 0, 0, 0];
    while (step - points[first]!.step > 3 * deviation) first += 1;
    for (let at = first; at < points.length && points[at]!.step - step <= 3 * deviation; at += 1) {
      const neighbour = points[at]!;
      const distance = deviation > 0 ? (neighbour.step - step) / deviation : 0;
      const weight = neighbour.count * Math.exp(-0.5 * distance ** 2);
      weights += weight;
      x += weight * distance;
      y += weight * neighbour.value;
      xx += weight * distance ** 2;
      xy += weight * distance * neighbour.value;
    }
    const determinant = weights * xx - x * x;
    return determinant > 1e-9 * weights * weights ? (y * xx - x * xy) / determinant : value;
  });
}
