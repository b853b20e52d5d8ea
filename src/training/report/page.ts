/** A run's report: one HTML page that opens from disk, with the run's settings and results. */

import { formatCount, formatDuration } from '../../core/index.ts';
import { writeFileAtomically } from '../../files/index.ts';
import { definitions, escapeHtml, page, table } from '../../html/index.ts';
import type { Metrics, ValidationMetrics } from '../metrics.ts';
import { type Chart, type ChartLine, chartSvg } from './chart.ts';
import { type Curve, smoothed } from './curves.ts';
import { numberText } from './scale.ts';
import { reportStyle } from './style.ts';
import { type BenchmarkSummary, type RunSummary, summarized } from './summary.ts';

/** State of the run. */
interface ReportState {
  readonly status: 'running' | 'interrupted' | 'finished';
  readonly step: number;
  /** Total number of steps. */
  readonly steps: number;
  /** Seconds of training, without interruptions. */
  readonly seconds: number;
  /** Number of captions seen, with repetitions. */
  readonly captions: number;
}

export interface Report {
  readonly title: string;
  /** The main settings: label and value. */
  readonly settings: readonly (readonly [string, string])[];
  readonly metrics: AsyncIterable<Metrics>;
  readonly state: ReportState;
}

/** Names of the weights that were validated. */
const weights: Readonly<Record<ValidationMetrics['phi'], string>> = { phi: 'phi', ema: 'EMA' };

/**
 * Writes the page, atomically. It needs no other file and runs no script. Memory does not grow with the number of steps.
 * Throws 'io', and what `metrics` throws.
 */
export async function writeReport(file: string, { title, settings, metrics, state }: Report): Promise<void> {
  const summary = await summarized(metrics);
  const lastStep = summary.last?.step ?? 0;
  const body = [
    header(title, state, summary),
    settingsSection(settings),
    trainingSection(summary),
    ...[...summary.benchmarks].map(([name, benchmark]) => validationSection(name, benchmark, lastStep)),
    footer(summary),
  ];
  await writeFileAtomically(file, (handle) => handle.writeFile(page({ title, style: reportStyle, body })));
}

function header(title: string, state: ReportState, { loss, captionsPerSecond }: RunSummary): string {
  const { status, step, steps, seconds, captions } = state;
  const percent = ((100 * step) / Math.max(1, step, steps)).toFixed(1);
  const latest = ({ points }: Curve) => (points.length > 0 ? numberText(smoothed(points).at(-1)!) : '–');
  const tiles = [
    ['Loss', latest(loss)],
    ['Captions seen', formatCount(captions)],
    ['Captions a second', latest(captionsPerSecond)],
    ['Time', formatDuration(seconds)],
  ] as const;
  return [
    '<header>',
    `<h1>${escapeHtml(title)}</h1>`,
    `<p><span class="status ${status}">${status}</span>step ${formatCount(step)} of ${formatCount(steps)}</p>`,
    `<div class="progress"><div class="${status}" style="width: ${percent}%"></div></div>`,
    definitions('tiles', tiles),
    '</header>',
  ].join('\n');
}

function settingsSection(settings: Report['settings']): string {
  if (settings.length === 0) return '';
  return `<section>\n<h2>Settings</h2>\n${definitions('settings', settings)}\n</section>`;
}

function trainingSection({ loss, learningRate, gradientNorm, captionsPerSecond, last }: RunSummary): string {
  if (last === undefined) return '<p class="empty">No step has been made yet.</p>';
  const keys = '<span class="key noise phi">single steps</span><span class="key phi">smoothed</span>';
  const noisy = (curve: Curve) => [{ style: 'phi', curve, noisy: true }] as const;
  const small = { size: 'small', lastStep: last.step } as const;
  const rate = [{ style: 'phi', curve: learningRate }] as const;
  return [
    '<section>\n<h2>Training</h2>',
    figure('Loss', { ...small, size: 'large', lines: noisy(loss) }, keys),
    '<div class="row">',
    figure('Learning rate', { ...small, lines: rate, fromZero: true }),
    figure('Gradient norm', { ...small, lines: noisy(gradientNorm) }),
    figure('Captions a second', { ...small, lines: noisy(captionsPerSecond), fromZero: true }),
    '</div>\n</section>',
  ].join('\n');
}

function validationSection(name: string, benchmark: BenchmarkSummary, lastStep: number): string {
  const { curves, recent, count, best } = benchmark;
  const styles = (['phi', 'ema'] as const).filter((style) =>
    recent.some((validation) => validation.phi === style),
  );
  const keys = styles.map((style) => `<span class="key ${style}">${weights[style]}</span>`).join('');
  const charts = [...curves].map(([metric, pair]) => {
    const lines = styles.map((style): ChartLine => {
      const curve = pair[style];
      const value = best?.metrics[metric];
      if (best?.phi !== style || value === undefined || !Number.isFinite(value)) return { style, curve };
      return { style, curve, best: { step: best.step, value } };
    });
    return figure(metric, { size: 'small', lastStep, lines }, keys);
  });
  return [
    `<section>\n<h2>Validation: ${escapeHtml(name)}</h2>`,
    best
      ? `<p class="note">Best at step ${formatCount(best.step)} (${weights[best.phi]}): ringed, and in bold.</p>`
      : '',
    '<div class="row">',
    ...charts,
    '</div>',
    validationTable([...curves.keys()], benchmark),
    count > recent.length ? `<p class="note">The last ${recent.length} of ${formatCount(count)}.</p>` : '',
    '</section>',
  ].join('\n');
}

/** The newest first. The best one is always included. */
function validationTable(metrics: readonly string[], { recent, best }: BenchmarkSummary): string {
  const earlierBest = best === undefined || recent.includes(best) ? [] : [best];
  const rows = [...recent.toReversed(), ...earlierBest].map((record) => {
    const values = metrics.map((metric) => record.metrics[metric]);
    const texts = values.map((value) => (value === undefined ? '' : numberText(value, true)));
    const cells = [formatCount(record.step), weights[record.phi], ...texts].map((text) => `<td>${text}</td>`);
    return `<tr${record === best ? ' class="best"' : ''}>${cells.join('')}</tr>`;
  });
  const heads = ['Step', 'Weights', ...metrics].map((text) => `<th scope="col">${escapeHtml(text)}</th>`);
  return table('validations', 'Validations, newest first', heads, rows);
}

function footer({ last }: RunSummary): string {
  const asOf = last ? `, as of ${escapeHtml(last.time.slice(0, 16).replace('T', ' '))} UTC` : '';
  return `<footer>Made by lincir out of metrics.jsonl${asOf}.</footer>`;
}

function figure(title: string, chart: Omit<Chart, 'label'>, keys = ''): string {
  const isEmpty = chart.lines.every(({ curve }) => curve.points.length === 0);
  const notFinite = chart.lines.reduce((sum, { curve }) => sum + curve.notFinite, 0);
  return [
    `<figure class="${chart.size}">`,
    `<figcaption>${escapeHtml(title)}<span class="keys">${keys}</span></figcaption>`,
    isEmpty ? '<p class="empty">nothing that can be shown</p>' : chartSvg({ ...chart, label: title }),
    notFinite > 0 ? `<p class="note">Left out, as it is not finite: ${formatCount(notFinite)}.</p>` : '',
    '</figure>',
  ].join('\n');
}
