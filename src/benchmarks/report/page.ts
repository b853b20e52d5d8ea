/** Shows an evaluation on one HTML page that opens from disk: its figures, how to repeat it, and queries to browse. */

import { formatCounted } from '../../core/index.ts';
import { escapeHtml, page } from '../../html/index.ts';
import type { Benchmark } from '../benchmark.ts';
import type { Evaluation } from '../evaluate.ts';
import { namedModel, type Results } from '../results.ts';
import { reportImages } from './pictures.ts';
import { imagesOf, methodStyles, queriesSection } from './queries.ts';
import { repeatSection } from './repeat.ts';
import { reportScript } from './script.ts';
import { selectedQueries } from './selection.ts';
import { reportStyle } from './style.ts';
import { figuresSection, groupsSection, wordingsSection } from './tables.ts';

export interface EvaluationReport extends Evaluation {
  /** Opened as for the results. */
  readonly benchmark: Benchmark;
  /** Number of queries to browse, half of them the best and half the worst. Default 200. */
  readonly queriesShown?: number;
  /** Called for each thumbnail. */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * The page. It needs no other file, and works without its script, which sorts and filters the queries. An image that
 * cannot be read has an empty frame, and the page says how many there are.
 * @throws LincirError 'bad-argument' for results of another benchmark
 */
export async function evaluationReport({
  results,
  benchmark,
  rankings,
  queriesShown = 200,
  onProgress,
}: EvaluationReport): Promise<string> {
  const names = results.methods.map(({ name }) => name);
  const queries = selectedQueries(results, benchmark, queriesShown);
  const pictures = await reportImages(benchmark.images, imagesOf(queries, names, rankings), onProgress);
  const sections = {
    results: figuresSection(results),
    groups: groupsSection(results),
    wordings: wordingsSection(results),
    repeat: repeatSection(results),
    queries: queriesSection(results, queries, rankings, pictures),
  };
  return page({
    title: `${results.preset}: ${names.join(', ')}`,
    style: `${reportStyle}${methodStyles(names.length)}\n${pictures.css}`,
    body: [
      header(results, benchmark, sections),
      ...Object.values(sections),
      `<footer>Made by lincir, ${dateText(results)}.</footer>`,
    ],
    script: sections.queries === '' ? undefined : reportScript,
  });
}

/** Labels of the links to the page's sections. */
const sectionNames = {
  results: 'Results',
  groups: 'By group',
  wordings: 'By wording',
  repeat: 'How to repeat it',
  queries: 'Queries',
} as const;

function header(
  results: Results,
  benchmark: Benchmark,
  sections: Readonly<Record<keyof typeof sectionNames, string>>,
): string {
  const { preset, model, methods, queries, images, limit } = results;
  const links = Object.entries(sectionNames).flatMap(([id, name]) =>
    sections[id as keyof typeof sectionNames] === '' ? [] : [`<a href="#${id}">${name}</a>`],
  );
  const counts = [
    formatCounted(methods.length, 'methods'),
    formatCounted(queries.length, 'queries'),
    formatCounted(images, 'images'),
  ];
  const banner =
    limit === null
      ? ''
      : `<p class="banner" role="note"><strong>Only ${queries.length.toLocaleString('en-US')} of ${formatCounted(benchmark.queries.length, 'queries')}:</strong> not comparable with other results.</p>`;
  return [
    '<header>',
    `<h1><bdi>${escapeHtml(preset)}</bdi></h1>`,
    `<p class="lead"><bdi>${escapeHtml(model ? namedModel(model) : 'a file of predictions')}</bdi>, ${dateText(results)}</p>`,
    `<p class="counts">${counts.join(', ')}</p>`,
    banner,
    `<nav aria-label="Sections">${links.join('\n')}</nav>`,
    '</header>',
  ].join('\n');
}

function dateText({ date }: Results): string {
  return `${escapeHtml(date.slice(0, 16).replace('T', ' '))} UTC`;
}
