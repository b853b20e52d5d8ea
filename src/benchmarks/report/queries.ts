/** The report's queries: the query, its right answers, and what each method found. */

import { formatCounted } from '../../core/index.ts';
import { escapeHtml } from '../../html/index.ts';
import type { BenchmarkQuery, Ranking } from '../benchmark.ts';
import type { Evaluation } from '../evaluate.ts';
import type { Results } from '../results.ts';
import type { ReportImages } from './pictures.ts';
import type { ShownQuery } from './selection.ts';
import { percent } from './text.ts';

/** How many of a ranking, and of a query's right answers, are shown. */
const picturesShown = 10;

/** Ids of all images shown with the queries. */
export function imagesOf(
  queries: readonly ShownQuery[],
  methods: readonly string[],
  rankings: Evaluation['rankings'],
): Set<string> {
  const ids = queries.flatMap(({ query }) => [
    query.reference,
    ...(query.targets ?? []).slice(0, picturesShown),
    ...methods.flatMap((method) => listsOf(rankings.get(method)?.get(query.id)).flatMap(({ ids }) => ids)),
  ]);
  return new Set(ids);
}

export function queriesSection(
  results: Results,
  queries: readonly ShownQuery[],
  rankings: Evaluation['rankings'],
  pictures: ReportImages,
): string {
  if (queries.length === 0) return '';
  const groups = [...new Set(queries.flatMap(({ query }) => query.groups))];
  const numbers = new Map(groups.map((group, at) => [group, at]));
  const names = results.methods.map(({ name }) => name);
  const missing =
    pictures.missing > 0 ? ` ${formatCounted(pictures.missing, 'images')} could not be read.` : '';
  return [
    '<section id="queries">\n<h2>Queries</h2>',
    `<p class="note">${selectionText(results, queries)}${missing}</p>`,
    '<div class="toolbar">',
    methodChoice(names),
    filters(results, groups),
    '</div>',
    '<div class="queries">',
    ...queries.map((each) => card(each, { results, names, rankings, pictures, numbers })),
    '</div>',
    '<dialog id="large" aria-label="An image, enlarged"><i class="t" role="img"></i><p></p>',
    '<div><button type="button" data-step="-1">← previous</button>',
    '<button type="button" data-step="1">next →</button>',
    '<button type="button" data-close autofocus>close</button></div></dialog>',
    '</section>',
  ].join('\n');
}

/** Styles that show one method at a time. A browser without `:has` shows all, with their names. */
export function methodStyles(methods: number): string {
  const rules = Array.from({ length: methods }, (_, number) => {
    const chosen = `main:has(#method-${number}:checked)`;
    return [
      `${chosen} :is(.of:not(.of-${number}), .method) { display: none; }`,
      `${chosen} .by-${number} { border-color: var(--accent); color: var(--ink); }`,
    ];
  });
  return rules.flat().join('\n');
}

interface CardContext {
  readonly results: Results;
  readonly names: readonly string[];
  readonly rankings: Evaluation['rankings'];
  readonly pictures: ReportImages;
  readonly numbers: ReadonlyMap<string, number>;
}

interface ShownList {
  readonly kind: keyof Ranking;
  /** The first of `all`. */
  readonly ids: readonly string[];
  readonly all: readonly string[];
  /** Whether another list is more important. */
  readonly isMinor: boolean;
}

function listsOf(ranking: Ranking | undefined): ShownList[] {
  const kinds = (['gallery', 'candidates'] as const).filter((kind) => ranking?.[kind] !== undefined);
  return kinds.map((kind, at) => {
    const all = ranking![kind]!;
    return { kind, all, ids: all.slice(0, picturesShown), isMinor: at > 0 };
  });
}

function selectionText(
  { queries: all, methods, primaryMetric }: Results,
  queries: readonly ShownQuery[],
): string {
  const total = formatCounted(all.length, 'queries');
  const by = `by <b>${escapeHtml(primaryMetric)}</b> of <b>${escapeHtml(methods[0]?.name ?? '')}</b>`;
  if (queries.length === all.length) return `All ${total} that were asked, the best ${by} first.`;
  const worst = Math.floor(queries.length / 2);
  return `Only ${queries.length} of ${total}: the ${queries.length - worst} best and the ${worst} worst ${by}. Which of equally good ones are here was drawn at random.`;
}

function methodChoice(names: readonly string[]): string {
  const choices = names.map(
    (name, at) =>
      `<label><input type="radio" name="method" id="method-${at}"${at === 0 ? ' checked' : ''}><span><bdi>${escapeHtml(name)}</bdi></span></label>`,
  );
  return `<fieldset class="choice"><legend>Method</legend>\n${choices.join('\n')}\n</fieldset>`;
}

/** Hidden until the script runs, which needs them. */
function filters({ methods, primaryMetric }: Results, groups: readonly string[]): string {
  const first = escapeHtml(methods[0]?.name ?? '');
  const sorts = methods.map(({ name }, at) => {
    const options = [
      `<option value="${at} -1 1">${escapeHtml(name)}: best first</option>`,
      `<option value="${at} -1 -1">${escapeHtml(name)}: worst first</option>`,
      ...(at > 0
        ? [
            `<option value="${at} 0 1">${escapeHtml(name)}: most above ${first}</option>`,
            `<option value="${at} 0 -1">${escapeHtml(name)}: most below ${first}</option>`,
          ]
        : []),
    ];
    return options.join('');
  });
  const sort = `<label>Sort by ${escapeHtml(primaryMetric)}<select id="sort">${sorts.join('')}<option value="0 -1 0">the benchmark’s order</option></select></label>`;
  const options = groups.map((group, at) => `<option value="${at}">${escapeHtml(group)}</option>`);
  const group = `<label>Group<select id="group"><option value="">all</option>${options.join('')}</select></label>`;
  return [
    '<div class="filters" hidden>',
    sort,
    groups.length > 1 ? group : '',
    '<label>Text<input type="search" id="text" placeholder="words or an id"></label>',
    '<p id="count" role="status"></p>\n</div>',
  ].join('\n');
}

function card({ query, at, values }: ShownQuery, context: CardContext): string {
  const { names, rankings, pictures, numbers, results } = context;
  const [text = '', ...others] = query.texts;
  const lists = names.map((name) => listsOf(rankings.get(name)?.get(query.id)));
  const facts = [query.id, ...query.groups].map((fact) => `<bdi>${escapeHtml(fact)}</bdi>`);
  const data = {
    at: `${at}`,
    values: values.map((value) => +value.toFixed(6)).join(' '),
    groups: query.groups.map((group) => numbers.get(group)).join(' '),
  };
  return [
    `<article class="query" ${Object.entries(data)
      .map(([name, value]) => `data-${name}="${value}"`)
      .join(' ')}>`,
    '<div class="asked">',
    `<div class="reference">${pictures.tile(query.reference, 'reference')}</div>`,
    '<div class="words">',
    `<h3><bdi>${escapeHtml(text)}</bdi></h3>`,
    ...others.map((other) => `<p class="also">also: <bdi>${escapeHtml(other)}</bdi></p>`),
    `<p class="facts">${facts.join('<span> · </span>')}</p>`,
    '</div>\n</div>\n<div class="found">',
    outcomes(query, names, lists, values, results.primaryMetric),
    ...names.map((name, number) => ranked(query, name, number, lists[number]![0], pictures)),
    '<div class="below">',
    answers(query, lists, pictures),
    ...names.map((name, number) => ranked(query, name, number, lists[number]![1], pictures)),
    '</div>\n</div>\n</article>',
  ].join('\n');
}

/** The rank at which each method has the first right answer, and its score for the query. */
function outcomes(
  { targets = [] }: BenchmarkQuery,
  names: readonly string[],
  lists: readonly (readonly ShownList[])[],
  values: readonly number[],
  primaryMetric: string,
): string {
  if (targets.length === 0) return '';
  const right = new Set(targets);
  const items = names.map((name, number) => {
    const list = lists[number]![0];
    const rank = list === undefined ? 'no ranking' : rankText(firstRight(list.all, right), list);
    return `<li class="by-${number}"><bdi>${escapeHtml(name)}</bdi> <b>${rank}</b> <span>${percent(values[number])}</span></li>`;
  });
  const head = `<p>First right answer, <span>${escapeHtml(primaryMetric)}</span></p>`;
  return `<div class="outcomes">${head}<ul>${items.join('')}</ul></div>`;
}

/** The first images of a method's list. A query's second list is small. */
function ranked(
  { targets }: BenchmarkQuery,
  name: string,
  number: number,
  list: ShownList | undefined,
  pictures: ReportImages,
): string {
  if (list === undefined) return '';
  const { ids, all, kind, isMinor } = list;
  const right = new Set(targets);
  const items = ids.map((id) =>
    right.has(id)
      ? `<li class="right">${pictures.tile(id, 'right answer')}</li>`
      : `<li>${pictures.tile(id)}</li>`,
  );
  const first = right.size > 0 ? `: ${rankText(firstRight(all, right), list)}` : '';
  const title = isMinor ? `<h4>Among the ${all.length} candidates${first}</h4>` : '';
  const label = `${escapeHtml(name)}: the first ${ids.length} of the ${kind}`;
  return [
    `<div class="of of-${number}"><h4 class="method"><bdi>${escapeHtml(name)}</bdi></h4>${title}`,
    `<ol class="tiles${isMinor ? ' minor' : ''}" aria-label="${label}">${items.join('')}</ol></div>`,
  ].join('\n');
}

/** The right answers, with their ranks in the chosen method. */
function answers(
  { targets = [] }: BenchmarkQuery,
  lists: readonly (readonly ShownList[])[],
  pictures: ReportImages,
): string {
  if (targets.length === 0) return '<p class="none">No image is a right answer.</p>';
  const items = targets.slice(0, picturesShown).map((id) => {
    const ranks = lists.map(([list], number) =>
      list ? `<span class="of of-${number}">${rankText(list.all.indexOf(id) + 1, list)}</span>` : '',
    );
    return `<li>${pictures.tile(id, 'right answer')}${ranks.join('')}</li>`;
  });
  const more = targets.length > items.length ? `, ${items.length} of them here` : '';
  const title = `<h4>${formatCounted(targets.length, 'right answers')}${more}</h4>`;
  return `<div class="answers">${title}\n<ul class="tiles minor">${items.join('')}</ul></div>`;
}

/** From 1; 0 if there is none. */
function firstRight(all: readonly string[], right: ReadonlySet<string>): number {
  return all.findIndex((id) => right.has(id)) + 1;
}

function rankText(rank: number, { all }: ShownList): string {
  return rank > 0 ? `#${rank}` : `past #${all.length}`;
}
