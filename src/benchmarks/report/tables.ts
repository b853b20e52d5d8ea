/** The report's tables: every metric of every method, then the primary metric by group and by prompt. */

import { formatCounted } from '../../core/index.ts';
import { escapeHtml, table } from '../../html/index.ts';
import type { Prompt } from '../benchmark.ts';
import type { Figure, MethodResults, Results } from '../results.ts';
import { percent, probability, signedPercent } from './text.ts';

/** If chance alone makes a difference more often than this, it is shown faintly. */
const significance = 0.05;

/** The metric of the breakdowns. CIRCO's authors use another one for these. */
function breakdownMetric({ metrics, primaryMetric }: Pick<Results, 'metrics' | 'primaryMetric'>): string {
  return metrics.includes('mAP@10') ? 'mAP@10' : primaryMetric;
}

/** Methods × metrics, with intervals and the differences to the first method. */
export function figuresSection(results: Results): string {
  const { methods, metrics, primaryMetric, mean } = results;
  const columns = metrics.map((metric) => methods.map(({ figures }) => figures[metric]));
  const best = columns.map((column) => bestText(column.map((figure) => figure?.value)));
  const highest = columns.map((column) => Math.max(...column.map((figure) => figure?.high ?? 0)));
  const rows = methods.map((method, row) => {
    const cells = metrics.map((metric, column) => {
      const figure = columns[column]![row];
      const styles = [
        ...(metric === primaryMetric ? ['primary'] : []),
        ...(figure && methods.length > 1 && percent(figure.value) === best[column] ? ['best'] : []),
      ];
      return `<td${classes(styles)}>${figureCell(figure, highest[column]!, method.differences?.[metric])}</td>`;
    });
    return `<tr><th scope="row"><bdi>${escapeHtml(method.name)}</bdi></th>${cells.join('')}</tr>`;
  });
  const heads = metrics.map(
    (metric) =>
      `<th scope="col"${metric === primaryMetric ? ' class="primary"' : ''}>${escapeHtml(metric)}</th>`,
  );
  const first = escapeHtml(methods[0]!.name);
  const notes = [
    `In percent, ${mean === 'groups' ? 'as the mean of the means over each group' : 'as the mean over all queries'}; methods are compared by <b>${escapeHtml(primaryMetric)}</b>.`,
    'The line below a figure is its 95&nbsp;% confidence interval over queries, from 0 to the column’s highest.',
    methods.length > 1
      ? `With a sign: the difference to <b>${first}</b> on the same queries, with the p of a paired test by random signs; faint where p is above ${significance}. The best of a column is in bold.`
      : '',
  ];
  return [
    '<section id="results">\n<h2>Results</h2>',
    table('figures', 'Figures by method and metric', ['<th scope="col">Method</th>', ...heads], rows),
    `<p class="note">${notes.join(' ')}</p>`,
    '</section>',
  ].join('\n');
}

/** The breakdown metric by category, task or aspect. Empty if there are no groups. */
export function groupsSection(results: Results): string {
  const { methods } = results;
  const metric = breakdownMetric(results);
  const groups = [...new Set(methods.flatMap((method) => Object.keys(method.groups)))];
  if (groups.length === 0) return '';
  const valueIn = (method: MethodResults, group: string) => method.groups[group]?.values[metric];
  const all = groups.flatMap((group) => methods.map((method) => valueIn(method, group) ?? 0));
  const highest = Math.max(...all, Number.MIN_VALUE);
  const rows = groups.map((group) => {
    const values = methods.map((method) => valueIn(method, group));
    const best = bestText(values);
    const cells = values.map((value) => {
      const isBest = methods.length > 1 && value !== undefined && percent(value) === best;
      const bar =
        value === undefined ? '' : `<span class="bar" style="--part: ${part(value, highest)}"></span>`;
      return `<td${isBest ? ' class="best"' : ''}><span class="value">${percent(value)}</span>${bar}</td>`;
    });
    const queries = methods.find((method) => method.groups[group])?.groups[group]?.queries ?? 0;
    const head = `<th scope="row"><bdi>${escapeHtml(group)}</bdi><small>${formatCounted(queries, 'queries')}</small></th>`;
    return `<tr>${head}${cells.join('')}</tr>`;
  });
  const heads = methods.map(({ name }) => `<th scope="col"><bdi>${escapeHtml(name)}</bdi></th>`);
  return [
    `<section id="groups">\n<h2>By group <small>${escapeHtml(metric)}</small></h2>`,
    table('bars', `${metric} by group and method`, ['<th scope="col">Group</th>', ...heads], rows),
    '</section>',
  ].join('\n');
}

/** The primary metric for each prompt that was tried, and their spread. Empty if none was. */
export function wordingsSection({ methods, primaryMetric }: Results): string {
  const tried = methods.filter(({ wordings = [] }) => wordings.length > 0);
  if (tried.length === 0) return '';
  const key = ({ composed, text }: Prompt) => JSON.stringify([composed, text]);
  const columns = tried.map(({ prompt, figures, wordings = [] }) => {
    const others = wordings.map((wording) => [key(wording.prompt), wording.values[primaryMetric]] as const);
    return new Map([...others, [key(prompt), figures[primaryMetric]?.value] as const]);
  });
  const prompts = new Map(
    tried.flatMap(({ prompt, wordings = [] }) =>
      [prompt, ...wordings.map((wording) => wording.prompt)].map((each) => [key(each), each] as const),
    ),
  );
  const values = columns.map((column) => [...column.values()].filter((value) => value !== undefined));
  const best = values.map(bestText);
  const rows = [...prompts].map(([name, { composed, text }]) => {
    const cells = columns.map((column, at) => {
      const isUsed = key(tried[at]!.prompt) === name;
      const value = column.get(name);
      const isBest = value !== undefined && percent(value) === best[at];
      return `<td${isBest ? ' class="best"' : ''}><span class="value">${percent(value)}</span>${isUsed ? '<small>used above</small>' : ''}</td>`;
    });
    return `<tr><th scope="row"><bdi>${escapeHtml(composed)}</bdi><small>text alone: <bdi>${escapeHtml(text)}</bdi></small></th>${cells.join('')}</tr>`;
  });
  const spreads = values.map((column) => percent(Math.max(...column) - Math.min(...column)));
  const spread = `<tr class="total"><th scope="row">Between the best and the worst</th>${spreads.map((text) => `<td><span class="value">${text}</span></td>`).join('')}</tr>`;
  const heads = tried.map(({ name }) => `<th scope="col"><bdi>${escapeHtml(name)}</bdi></th>`);
  return [
    `<section id="wordings">\n<h2>By wording <small>${escapeHtml(primaryMetric)}</small></h2>`,
    table(
      'bars',
      `${primaryMetric} by wording and method`,
      ['<th scope="col">Prompt</th>', ...heads],
      [...rows, spread],
    ),
    '</section>',
  ].join('\n');
}

function figureCell(
  figure: Figure | undefined,
  highest: number,
  difference: (Figure & { readonly p: number }) | undefined,
): string {
  if (figure === undefined) return '<span class="value">–</span>';
  const { value, low, high } = figure;
  const range = `${percent(low)} to ${percent(high)}`;
  const place = `--low: ${part(low, highest)}; --high: ${part(high, highest)}; --at: ${part(value, highest)}`;
  const lines = [
    `<span class="value">${percent(value)}</span>`,
    `<span class="interval" style="${place}"></span>`,
    `<span class="range">${range}</span>`,
  ];
  if (difference !== undefined) {
    const { p, ...apart } = difference;
    const style = p > significance ? 'difference faint' : 'difference';
    const title = `95 % interval of the difference: ${signedPercent(apart.low)} to ${signedPercent(apart.high)}`;
    lines.push(
      `<span class="${style}" title="${title}">${signedPercent(apart.value)} <small>${probability(p)}</small></span>`,
    );
  }
  return lines.join('');
}

/** The highest value as shown, so that values that look the same count as equal. */
function bestText(values: readonly (number | undefined)[]): string {
  const numbers = values.filter((value) => value !== undefined);
  return percent(numbers.length > 0 ? Math.max(...numbers) : undefined);
}

function part(value: number, whole: number): string {
  return whole > 0 ? Math.min(1, Math.max(0, value / whole)).toFixed(4) : '0';
}

function classes(names: readonly string[]): string {
  return names.length > 0 ? ` class="${names.join(' ')}"` : '';
}
