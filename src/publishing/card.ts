/** Writes the model card of a phi: what the Hugging Face hub shows of it, with nothing in it that is not known. */

import { basename } from 'node:path';
import { formatCount, formatCounted } from '../core/index.ts';
import { defaultDropout, type PhiArchitecture } from '../phi/index.ts';
import type { RunConfig, ValidationMetrics } from '../training/index.ts';
import type { PhiEvaluation, PhiFacts } from './facts.ts';
import { usage } from './usage.ts';

/** The file that the card describes. */
export interface CardFile {
  readonly name: string;
  readonly layout: PhiArchitecture;
  /** In hex. */
  readonly sha256: string;
  /** OWNER/NAME on the hub, if it goes there. */
  readonly id?: string;
  /** The hub's name of a licence. */
  readonly licence: string;
}

/** Of a card that we wrote; others are not replaced. */
const libraryLine = 'library_name: lincir';
const hub = 'https://huggingface.co';
const paper = 'https://arxiv.org/abs/2312.01998';

type Row = readonly (string | number)[];

export function isOurCard(text: string): boolean {
  return text.startsWith('---\n') && text.split('\n').includes(libraryLine);
}

export function modelCard(facts: PhiFacts, file: CardFile): string {
  const { info, origin, run, evaluations } = facts;
  const { name, sha256 } = file;
  const { architecture, input, hidden, output } = info.shape;
  const model = info.model && `[${info.model}](${hub}/${info.model})`;
  const about = [
    `A phi for composed image retrieval${model ? ` with ${model}` : ''}: it turns an image's embedding into a pseudo token, which the model's text`,
    'encoder reads like a word. So a text such as `a photo of $ that is red` can hold an image at `$`.',
    ...(run
      ? [`It was trained on captions alone, by self-masking projection ([LinCIR](${paper})), with lincir.`]
      : []),
    ...(origin
      ? [`It is the one from ${origin.address} (licence: ${origin.licence}), in another file.`]
      : []),
  ];
  const sections = [
    `# ${file.id?.split('/')[1] ?? name.replace(/\.pt$/, '')}\n\n${about.join('\n')}`,
    usage(facts.info, file),
    `## The network\n\n${table(
      ['fact', 'value'],
      [
        ['architecture', architecture],
        ['dimensions', `${input} → ${hidden} → ${hidden} → ${output}`],
        [
          'takes',
          info.l2Normalize
            ? 'embeddings scaled to length 1'
            : 'embeddings as they are, not scaled to length 1',
        ],
        ...(info.step === undefined ? [] : [['training', formatCounted(info.step, 'steps')]]),
        ...(run ? [['weights', kindText(run.kind)]] : []),
      ],
    )}`,
    ...(run ? [trainingSection(run.config, run.validations)] : []),
    ...(evaluations.length > 0 ? [evaluationSection(evaluations)] : []),
    `## Fingerprints\n\n${table(
      ['of', 'value'],
      [
        ...(info.fingerprint === undefined
          ? []
          : [["the model, lincir's fingerprint", code(info.fingerprint)]]),
        [`${code(name)}, SHA-256`, code(sha256)],
      ],
    )}`,
  ];
  return `${frontMatter(facts, file)}\n${sections.join('\n\n')}\n`;
}

function frontMatter({ info, run }: PhiFacts, { licence }: CardFile): string {
  const ids = (run?.config.captions ?? []).flatMap((source) => datasetOf(source.name) ?? []);
  const datasets = [...new Set(ids)];
  return [
    '---',
    `license: ${licence}`,
    libraryLine,
    ...[
      'tags:',
      '- composed-image-retrieval',
      '- image-retrieval',
      '- textual-inversion',
      `- ${info.shape.architecture}`,
    ],
    ...(info.model === undefined
      ? []
      : [`base_model: ${JSON.stringify(info.model)}`, 'base_model_relation: adapter']),
    ...(datasets.length === 0 ? [] : ['datasets:', ...datasets.map((id) => `- ${JSON.stringify(id)}`)]),
    '---',
    '',
  ].join('\n');
}

function trainingSection(
  { settings, captions, versions }: RunConfig,
  validations: readonly ValidationMetrics[],
): string {
  const { accumulation, batch, schedule, warmup, architecture } = settings;
  const only = (isSo: boolean, ...rows: Row[]) => (isSo ? rows : []);
  const rows: Row[] = [
    ['steps', formatCount(settings.steps)],
    ['captions a step', formatCount(batch * accumulation)],
    ['optimizer', `AdamW, betas ${settings.beta1} and ${settings.beta2}, epsilon ${settings.epsilon}`],
    [
      'learning rate',
      `${settings.learningRate}, ${schedule}${warmup > 0 ? `, ${formatCount(warmup)} steps of warm-up` : ''}`,
    ],
    ...only(schedule === 'cosine-restarts', ['cycles', settings.cycles]),
    ...only(schedule === 'polynomial', ['power', settings.power]),
    ['weight decay', settings.weightDecay],
    ...only(settings.clipNorm !== undefined, ['gradients clipped to length', settings.clipNorm!]),
    ['moving average', settings.ema ? 'yes' : 'no'],
    ['masking', settings.masking],
    ['noise', settings.noise],
    ['dropout', settings.dropout ?? defaultDropout(architecture)],
    ['precision', settings.precision],
    ['seed', settings.seed],
    ['made with', `lincir ${versions.lincir}, ONNX Runtime ${versions['onnxruntime-node']}`],
  ];
  const sources = captions.map(
    ({ name, captions: count, weight, sha256 }): Row => [
      ...[sourceText(name), formatCount(count), weight, code(sha256.slice(0, 16))],
    ],
  );
  const total = captions.reduce((sum, source) => sum + source.captions, 0);
  return [
    `## Training\n\n${table(['setting', 'value'], rows)}`,
    `### Captions\n\n${formatCount(total)} captions. The weight says how often a source comes in an epoch.\n\n${table(
      ['source', 'captions', 'weight', 'SHA-256 begins'],
      sources,
    )}`,
    ...(validations.length === 0
      ? []
      : [`### Validation, at this step\n\n${table(['what', 'figures'], validations.map(validationRow))}`]),
  ].join('\n\n');
}

function validationRow({ name, metrics }: ValidationMetrics): Row {
  const figures = Object.entries(metrics).map(([metric, value]) => `${metric} ${Number(value.toFixed(4))}`);
  return [name, figures.join(', ')];
}

function evaluationSection(evaluations: readonly PhiEvaluation[]): string {
  const rows = evaluations.map(
    ({ preset, queries, limit, images, metrics, figures, prompt, deviations }): Row => [
      [preset, ...(limit === null ? [] : [`**only ${formatCount(limit)} queries**`]), ...deviations].join(
        ', ',
      ),
      formatCount(queries),
      formatCount(images),
      code(prompt),
      metrics.map((metric) => `${metric} ${(100 * figures[metric]!.value).toFixed(2)}`).join(', '),
    ],
  );
  return `## Evaluation\n\nMeasured by \`lincir eval\`, in percent.\n\n${table(
    ['benchmark', 'queries', 'images', 'prompt', 'figures'],
    rows,
  )}`;
}

function kindText(kind: 'best' | 'latest' | 'ema'): string {
  return { best: 'the best by validation', latest: 'those of this step', ema: 'their moving average' }[kind];
}

/** A file on this machine without its folder, which is nobody's business. */
function sourceText(name: string): string {
  const id = datasetOf(name);
  if (id === undefined) return code(basename(name));
  const [path, commit] = [name.replace(/^[^@]*@[^/]*\//, ''), /@([^/]*)/.exec(name)?.[1]?.slice(0, 8)];
  return `[${id}](${hub}/datasets/${id}), ${code(path)} at ${code(commit ?? '')}`;
}

function datasetOf(name: string): string | undefined {
  return /^hf:\/\/datasets\/([\w.-]+\/[\w.-]+)@/.exec(name)?.[1];
}

function code(text: string): string {
  return `\`${text.replaceAll(/[`\p{Cc}]/gu, ' ')}\``;
}

function table(heads: readonly string[], rows: readonly Row[]): string {
  const line = (cells: Row) =>
    `| ${cells.map((cell) => `${cell}`.replaceAll('|', '\\|').replaceAll(/\p{Cc}/gu, ' ')).join(' | ')} |`;
  return [line(heads), `|${heads.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}
