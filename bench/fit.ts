/** Fits of costs by size, and what they say about larger sizes. */

/**
 * A line through the logarithms, by least squares: value = c rows^exponent. `residual` is the factor by which values
 * typically miss it. A prediction comes with the factor of two standard errors, in which the distance from what was measured
 * counts (Draper and Smith, Applied Regression Analysis, section 1.4). It takes for granted that the law goes on.
 */
export function logLogFit(rows: readonly number[], values: readonly number[]) {
  const [xs, ys] = [rows.map(Math.log), values.map(Math.log)];
  const mean = (all: readonly number[]) => all.reduce((sum, value) => sum + value, 0) / all.length;
  const [x, y] = [mean(xs), mean(ys)];
  const spread = xs.reduce((sum, one) => sum + (one - x) ** 2, 0);
  const exponent = xs.reduce((sum, one, at) => sum + (one - x) * (ys[at]! - y), 0) / spread;
  const squares = xs.reduce((sum, one, at) => sum + (ys[at]! - y - exponent * (one - x)) ** 2, 0);
  const error = Math.sqrt(squares / Math.max(1, xs.length - 2));
  const at = (size: number) => {
    const away = Math.log(size) - x;
    return {
      value: Math.exp(y + exponent * away),
      factor: Math.exp(2 * error * Math.sqrt(1 + 1 / xs.length + away ** 2 / spread)),
    };
  };
  return { exponent, residual: Math.exp(error), at };
}
