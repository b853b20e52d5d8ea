/** The report's section on how an evaluation was made, to repeat it. */

import { formatCount, formatDuration } from '../../core/index.ts';
import { definitions, escapeHtml, table } from '../../html/index.ts';
import type { Results } from '../results.ts';

export function repeatSection(results: Results): string {
  const { preset, options, folder, sha256, limit, images, queries, mean, primaryMetric, model } = results;
  const asked = formatCount(queries.length);
  const facts: (readonly [string, string])[] = [
    ['Benchmark', preset],
    ['Folder', folder],
    ['SHA-256 of its queries', sha256],
    ['Images', formatCount(images)],
    ['Queries', limit === null ? asked : `${formatCount(limit)}, spread over the benchmark`],
    ['Compared by', `${primaryMetric}, mean over ${mean}`],
    ...Object.entries(options).flatMap(([name, value]) =>
      value === null ? [] : [[`Option ${name}`, settingText(value)] as const],
    ),
    ...(model
      ? ([
          ['Model', model.name],
          ['Model’s fingerprint', model.fingerprint],
          ['Precision', model.precision],
          ['Target pad', model.targetPad === null ? 'none' : `${model.targetPad}`],
        ] as const)
      : [['Model', 'none: a file of predictions was scored'] as const]),
    ['Date', results.date],
  ];
  const rows = results.methods.map(({ name, prompt, settings }) => {
    const list = Object.entries(settings).map(
      ([label, value]) =>
        `<div><dt>${escapeHtml(label)}</dt><dd><bdi>${escapeHtml(settingText(value))}</bdi></dd></div>`,
    );
    const prompts = `<td><bdi>${escapeHtml(prompt.composed)}</bdi><small>text alone: <bdi>${escapeHtml(prompt.text)}</bdi></small></td>`;
    const chosen = list.length > 0 ? `<dl>${list.join('')}</dl>` : '–';
    return `<tr><th scope="row"><bdi>${escapeHtml(name)}</bdi></th>${prompts}<td>${chosen}</td></tr>`;
  });
  const heads = ['Method', 'Prompt', 'Settings'].map((head) => `<th scope="col">${head}</th>`);
  const seconds = Object.entries(results.seconds);
  return [
    '<section id="repeat">\n<h2>How to repeat it</h2>',
    definitions('settings', facts),
    table('methods', 'Prompts and settings by method', heads, rows),
    definitions('small', Object.entries(results.versions)),
    definitions(
      'small',
      seconds.map(([stage, duration]) => [stage, formatDuration(duration)]),
    ),
    '</section>',
  ].join('\n');
}

function settingText(value: string | number | boolean | readonly string[] | null): string {
  if (value === null) return '–';
  if (value === true) return 'yes';
  if (value === false) return 'no';
  return typeof value === 'object' ? value.join(', ') : `${value}`;
}
