/** Axes of the report's charts: positions of values, and ticks at round numbers. */

export interface Scale {
  /** From 0 at the axis' beginning to 1 at its end. Values far outside are clamped. */
  readonly place: (value: number) => number;
  readonly ticks: readonly { readonly value: number; readonly text: string }[];
  readonly isLogarithmic: boolean;
}

/** If values differ by more than this factor, the axis is logarithmic. */
const wideRange = 10;

/** Steps from 0 to `last`, with about `count` ticks. */
export function stepScale(last: number, count: number): Scale {
  const end = Math.max(1, last);
  const tick = Math.max(1, roundNumber(end / count));
  return linear(0, end, tick);
}

/** An axis for all of the values, from tick to tick, with about `count` of these. */
export function valueScale(values: readonly number[], count: number): Scale {
  let low = values.reduce((a, b) => Math.min(a, b), values[0] ?? 0);
  let high = values.reduce((a, b) => Math.max(a, b), values[0] ?? 0);
  if (low > 0 && high / low >= wideRange) return logarithmic(low, high, count);
  const size = Math.max(Math.abs(low), Math.abs(high));
  if (high - low <= 1e-9 * size) {
    low -= size / 2;
    high += size / 2 || 1;
  }
  const tick = roundNumber((high - low) / count);
  return linear(Math.floor(low / tick) * tick, Math.ceil(high / tick) * tick, tick);
}

/**
 * Formats a number with at most four significant digits.
 * @param isPadded whether there are always four, for a column of a table
 */
export function numberText(value: number, isPadded = false): string {
  const size = Math.abs(value);
  if (!Number.isFinite(value)) return String(value).replace('Infinity', '∞');
  if (size >= 1e7 || (size > 0 && size < 1e-3)) {
    return Number(value.toPrecision(3)).toExponential().replace('+', '');
  }
  const digits = { minimumSignificantDigits: isPadded ? 4 : 1, maximumSignificantDigits: 4 };
  return value.toLocaleString('en-US', size < 1000 ? digits : { maximumFractionDigits: 0 });
}

/** The next number of the series 1, 2, 5, 10, 20, … that is not below. */
function roundNumber(atLeast: number): number {
  const power = 10 ** Math.floor(Math.log10(atLeast));
  return ([1, 2, 5].find((digit) => digit * power >= atLeast * (1 - 1e-9)) ?? 10) * power;
}

function bounded(place: number): number {
  return Math.min(2, Math.max(-1, place));
}

function linear(from: number, to: number, tick: number): Scale {
  const first = Math.round(from / tick);
  const count = Math.floor(to / tick + 1e-9) - first + 1;
  const decimals = Math.max(0, Math.ceil(-Math.log10(tick) - 1e-9));
  const greatest = Math.max(Math.abs(from), Math.abs(to));
  const text = (value: number) =>
    greatest < 1e-3 || greatest >= 1e7
      ? numberText(value)
      : value.toLocaleString('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  return {
    place: (value) => bounded((value - from) / (to - from)),
    ticks: Array.from({ length: count }, (_, index) => {
      const value = Number(((first + index) * tick).toPrecision(12));
      return { value, text: text(value) };
    }),
    isLogarithmic: false,
  };
}

function logarithmic(low: number, high: number, count: number): Scale {
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const ticksAt = (digits: readonly number[]) => {
    const all = Array.from({ length: last - first + 1 }, (_, index) => first + index).flatMap((power) =>
      digits.map((digit) => Number((digit * 10 ** power).toPrecision(1))),
    );
    return all.filter((_, index) => (all[index + 1] ?? high) > low && (all[index - 1] ?? low) < high);
  };
  const choices = [ticksAt([1, 2, 5]), ticksAt([1, 3]), ticksAt([1])] as const;
  const ticks = choices.find(({ length }) => length <= count + 2) ?? choices[2];
  const [from, to] = [Math.log(ticks[0]!), Math.log(ticks.at(-1)!)];
  return {
    place: (value) => bounded((Math.log(Math.max(value, Number.MIN_VALUE)) - from) / (to - from)),
    ticks: ticks.map((value) => ({ value, text: numberText(value) })),
    isLogarithmic: true,
  };
}
