/** Draws charts as SVG: axes, smoothed lines, dots where points are few, and a ring around the best one. */

import { escapeHtml } from '../../html/index.ts';
import { type Curve, type CurvePoint, smoothed } from './curves.ts';
import { numberText, type Scale, stepScale, valueScale } from './scale.ts';

export interface ChartLine {
  /** Its style in the page. */
  readonly style: 'phi' | 'ema';
  readonly curve: Curve;
  /** Whether to show single values faintly, and their trend as the line. */
  readonly noisy?: boolean;
  /** The point to ring; finite. */
  readonly best?: { readonly step: number; readonly value: number };
}

export interface Chart {
  /** A description for readers who cannot see it. */
  readonly label: string;
  readonly size: keyof typeof sizes;
  readonly lines: readonly ChartLine[];
  /** Where the axis of steps ends. */
  readonly lastStep: number;
  /** Whether the values' axis begins at 0. */
  readonly fromZero?: boolean;
}

const sizes = {
  large: { width: 960, height: 320, steps: 10, values: 6 },
  small: { width: 304, height: 170, steps: 3, values: 4 },
} as const;
const margin = { left: 52, right: 14, top: 10, bottom: 26 } as const;

/** Up to so many points are also shown as dots. */
const dotLimit = 40;

/** A chart that fills the width of its place. */
export function chartSvg({ label, size, lines, lastStep, fromZero = false }: Chart): string {
  const { width, height, ...ticks } = sizes[size];
  const { left, top, right, bottom } = margin;
  const [across, down] = [width - left - right, height - top - bottom];
  const shown = lines.flatMap(({ noisy, curve, best }) => [
    ...(noisy ? spread(curve.points) : means(curve.points)),
    ...(best ? [best.value] : []),
  ]);
  const values = valueScale(fromZero ? [0, ...shown] : shown, ticks.values);
  const steps = stepScale(lastStep, ticks.steps);
  const x = (step: number) => (left + across * steps.place(step)).toFixed(1);
  const y = (value: number) => (top + down * (1 - values.place(value))).toFixed(1);

  const rows = values.ticks.map(
    ({ value, text }) =>
      `<path class="grid" d="M${left} ${y(value)}h${across}"/>` +
      `<text x="${left - 8}" y="${y(value)}" dy=".35em" text-anchor="end">${text}</text>`,
  );
  const columns = steps.ticks.map(({ value, text }) => {
    const anchor = steps.place(value) > 0.95 ? 'end' : 'middle';
    return `<text x="${x(value)}" y="${height - 6}" text-anchor="${anchor}">${text}</text>`;
  });
  return [
    `<svg class="chart" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(label)}">`,
    ...rows,
    ...columns,
    // The scale need not cover every single value: this inner svg cuts off what lies outside.
    `<svg x="${left}" y="${top}" width="${across}" height="${down}" viewBox="${left} ${top} ${across} ${down}">`,
    ...lines.filter(({ noisy }) => noisy).map((line) => noise(line, x, y)),
    '</svg>',
    ...lines.map((line) => lineAndDots(line, values, x, y)),
    ...lines.map((line) => ring(line, x, y)),
    '</svg>',
  ].join('\n');
}

type Place = (value: number) => string;

function means(points: readonly CurvePoint[]): number[] {
  return points.map(({ value }) => value);
}

/** The values that a noisy line's scale must cover: all means, and nearly all single values. */
function spread(points: readonly CurvePoint[]): number[] {
  const lows = points.map(({ low }) => low).sort((a, b) => a - b);
  const highs = points.map(({ high }) => high).sort((a, b) => b - a);
  const few = Math.floor(points.length / 50);
  return points.length > 0 ? [...means(points), lows[few]!, highs[few]!] : [];
}

/** All single values, as an outline. If no steps share a point, it is a line. */
function noise({ style, curve: { points } }: ChartLine, x: Place, y: Place): string {
  const above = points.map(({ step, high }) => `${x(step)} ${y(high)}`);
  const below = points.map(({ step, low }) => `${x(step)} ${y(low)}`).reverse();
  return `<path class="${style} noise" d="M${[...above, ...below].join('L')}Z"/>`;
}

function lineAndDots(
  { style, curve: { points }, noisy = false }: ChartLine,
  values: Scale,
  x: Place,
  y: Place,
): string {
  if (points.length === 0) return '';
  const line = noisy ? trend(points, values.isLogarithmic) : means(points);
  const path = points.map(({ step }, index) => `${x(step)} ${y(line[index]!)}`);
  const dots = points.map(({ step, value }) => {
    const title = `step ${numberText(step)}: ${numberText(value)}`;
    return `<circle class="${style} dot" cx="${x(step)}" cy="${y(value)}" r="2.5"><title>${title}</title></circle>`;
  });
  const shown = points.length > dotLimit ? [] : dots;
  return [`<path class="${style} line" d="M${path.join('L')}"/>`, ...shown].join('\n');
}

/** Smooths what is shown: on a logarithmic axis, the logarithms. */
function trend(points: readonly CurvePoint[], isLogarithmic: boolean): number[] {
  if (!isLogarithmic) return smoothed(points);
  const logarithms = points.map((point) => ({ ...point, value: Math.log(point.value) }));
  return smoothed(logarithms).map((value) => Math.exp(value));
}

function ring({ style, best }: ChartLine, x: Place, y: Place): string {
  if (best === undefined) return '';
  const title = `best, step ${numberText(best.step)}: ${numberText(best.value)}`;
  return `<circle class="${style} best" cx="${x(best.step)}" cy="${y(best.value)}" r="6"><title>${title}</title></circle>`;
}
