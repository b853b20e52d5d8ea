/** Formats results of evaluations as tables for a terminal, in percent. */

import { type Comparison, type Figure, namedModel, type Results } from '../../benchmarks/index.ts';
import { formatCount, formatCounted, formatDuration } from '../../core/index.ts';
import { aligned } from '../terminal/columns.ts';

/** A line for each method: its figures with half of their 95 % intervals, and its gain over the first method. */
export function resultsTable(results: Results): string[] {
  const { methods, metrics, primaryMetric } = results;
  const head = ['', ...metrics];
  const rows = methods.map(({ name, figures }) => [
    name,
    ...metrics.map((metric) => `${percent(figures[metric]!.value)} ${halfWidth(figures[metric]!)}`),
  ]);
  const lines = [heading(results), '', ...aligned([head, ...rows])];
  lines.push(...groupLines(results));
  const [first, ...others] = methods;
  if (others.length > 0) {
    const differences = others.map(({ name, differences: found }) => {
      const { value, low, high, p } = found![primaryMetric]!;
      return [
        `${name} − ${first!.name}`,
        signed(value),
        `[${signed(low)}, ${signed(high)}]`,
        `p ${formatP(p)}`,
      ];
    });
    lines.push('', `${primaryMetric}, paired differences and their 95 % intervals:`, ...aligned(differences));
  }
  for (const { name, wordings = [], figures } of methods) {
    if (wordings.length === 0) continue;
    const own = figures[primaryMetric]!.value;
    const rows = wordings.map(({ prompt, values }) => [prompt.composed, percent(values[primaryMetric]!)]);
    const all = [own, ...wordings.map(({ values }) => values[primaryMetric]!)];
    const spread = `${percent(Math.min(...all))} to ${percent(Math.max(...all))}`;
    lines.push('', `${name}, ${primaryMetric} by prompt: ${spread}`);
    lines.push(
      ...aligned([[methods.find((method) => method.name === name)!.prompt.composed, percent(own)], ...rows]),
    );
  }
  return lines;
}

/** The primary metric in each group, a column for each method. */
function groupLines({ methods, primaryMetric }: Results): string[] {
  const groups = Object.entries(methods[0]!.groups);
  if (groups.length === 0) return [];
  const rows = groups.map(([group, { queries }]) => [
    group,
    formatCount(queries),
    ...methods.map((method) => percent(method.groups[group]!.values[primaryMetric]!)),
  ]);
  return ['', ...aligned([[`${primaryMetric} in`, 'queries', ...methods.map(({ name }) => name)], ...rows])];
}

export function timesLine({ seconds }: Results): string {
  return Object.entries(seconds)
    .map(([stage, time]) => `${stage} ${formatDuration(time)}`)
    .join('; ');
}

export function comparisonTable(
  { preset, queries, of, metrics, precisions, pairs }: Comparison,
  [a, b]: readonly [Results, Results],
): string[] {
  const common =
    queries === of
      ? formatCounted(queries, 'queries')
      : `${formatCount(queries)} common of ${formatCounted(of, 'queries')}`;
  const lines = [`${preset}, ${common}`, `A: ${describedRun(a)}`, `B: ${describedRun(b)}`];
  if (precisions.a && precisions.b && precisions.a !== precisions.b) {
    lines.push(
      `The precision differs, which alone can change figures: A is ${precisions.a}, B is ${precisions.b}.`,
    );
  }
  for (const { a: left, b: right, figures } of pairs) {
    const rows = metrics.map((metric) => {
      const { a: own, b: other, difference } = figures[metric]!;
      const { value, low, high, p } = difference;
      return [
        metric,
        percent(own),
        percent(other),
        signed(value),
        `[${signed(low)}, ${signed(high)}]`,
        formatP(p),
      ];
    });
    const names = left === right ? left : `${left} and ${right}`;
    lines.push('', ...aligned([[names, 'A', 'B', 'B − A', '95 %', 'p'], ...rows]));
  }
  return lines;
}

function heading({ preset, limit, queries, images, model }: Results): string {
  const parts = [
    preset,
    limit === null
      ? formatCounted(queries.length, 'queries')
      : `ONLY ${formatCounted(limit, 'queries').toUpperCase()}: not comparable`,
    formatCounted(images, 'images'),
    ...(model ? [namedModel(model)] : []),
  ];
  return parts.join(', ');
}

function describedRun({ model, date, limit }: Results): string {
  const about = [
    model ? namedModel(model) : 'predictions',
    date,
    ...(limit === null ? [] : [`only ${formatCounted(limit, 'queries')}`]),
  ];
  return about.join(', ');
}

function percent(value: number): string {
  return (100 * value).toFixed(2);
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${percent(Math.abs(value))}`;
}

function halfWidth({ low, high }: Figure): string {
  return `±${(50 * (high - low)).toFixed(1)}`;
}

function formatP(p: number): string {
  return p < 0.001 ? '< 0.001' : p.toFixed(3);
}
