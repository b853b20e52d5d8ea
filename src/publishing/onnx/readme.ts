/** The README.md of an export: what each file takes and gives, and programs that use them. */

import type { Clip } from '../../clip/index.ts';
import type { ModelFile, WeightPrecision } from '../../onnx/index.ts';
import type { PhiInfo } from '../../phi/index.ts';
import type { ModelName } from './graphs.ts';
import {
  type ProgramFacts,
  pythonProgram,
  scriptProgram,
  zeroShotPython,
  zeroShotScript,
} from './programs.ts';

interface ExportFacts {
  readonly clip: Clip;
  /** The model's name on the hub, if it is from there. */
  readonly id: string | undefined;
  readonly models: ReadonlyMap<ModelName, readonly ModelFile[]>;
  readonly phi: PhiInfo | undefined;
  readonly precision: WeightPrecision;
  /** As `config.json` has it. */
  readonly modelType: string;
}

export function readme({ clip, id, models, phi, precision, modelType }: ExportFacts): string {
  const { text, vision } = clip.config;
  const facts: ProgramFacts = {
    ...(text && { text, tokenizer: clip.tokenizer }),
    ...(vision && { preprocessing: clip.preprocessing }),
    ...{ isComposing: phi !== undefined, suffix: precision === 'float16' ? '_fp16' : '', modelType },
  };
  const sections = [
    frontMatter(id),
    `# ${id === undefined ? 'A model' : `[${id}](https://huggingface.co/${id})`} as ONNX files`,
    [
      'Made by lincir for ONNX Runtime, transformers.js and whatever else reads ONNX. The models use only operators of its own set 17.',
      ...(precision === 'float16'
        ? [
            'Weights are float16, and products are computed in it. Inputs, outputs, sums and norms are float32.',
          ]
        : []),
    ].join('\n'),
    modelTable(clip, models),
    `Embeddings are not scaled to length 1.${phi ? ' phi needs them as they are.' : ''} Scale them before you compare them.`,
    ...(text ? [textSection(clip)] : []),
    ...(phi ? [composedSection(clip)] : []),
    `## Python\n\n\`pip install onnxruntime tokenizers pillow\`. Run it in this folder.\n\n\`\`\`python\n${pythonProgram(facts)}\n\`\`\``,
    `## JavaScript\n\n\`npm install @huggingface/transformers\`. In a browser, serve this folder, and name its address.\n\n\`\`\`js\n${scriptProgram(facts)}\n\`\`\``,
    ...(models.has('model') ? [zeroShotSection(facts.suffix)] : []),
    `The model's fingerprint in lincir is \`${clip.fingerprint}\`. Each ONNX file has it among its metadata.`,
  ];
  return `${sections.join('\n\n')}\n`;
}

function frontMatter(id: string | undefined): string {
  return [
    '---',
    'library_name: lincir',
    ...['tags:', '- composed-image-retrieval', '- image-retrieval', '- onnx', '- transformers.js'],
    ...(id === undefined ? [] : [`base_model: ${JSON.stringify(id)}`]),
    '---',
  ].join('\n');
}

function modelTable(clip: Clip, models: ExportFacts['models']): string {
  const { text, vision } = clip.config;
  const embeds = (name: string) => `\`${name}\` [batch_size, ${(text ?? vision)!.projection}]`;
  const ids = [
    '`input_ids`, int64 [batch_size, sequence_length]',
    ...(text?.attention === 'toEnd' ? ['`attention_mask`, the same'] : []),
  ].join('; ');
  const side = vision?.imageSize;
  const rows: Readonly<Record<ModelName, readonly [takes: string, gives: string]>> = {
    vision_model: [`\`pixel_values\` [batch_size, 3, ${side}, ${side}]`, embeds('image_embeds')],
    text_model: [ids, embeds('text_embeds')],
    text_model_with_pseudo_tokens: [
      `${ids}; \`pseudo_tokens\` [placeholders, ${text?.width}]`,
      embeds('text_embeds'),
    ],
    phi: [embeds('image_embeds'), `\`pseudo_tokens\` [batch_size, ${text?.width}]`],
    model: [
      `\`input_ids\`${text?.attention === 'everywhere' ? '' : ' and `attention_mask`'}, int64 [text_batch_size, sequence_length]; \`pixel_values\` [image_batch_size, 3, ${side}, ${side}]`,
      '`logits_per_image` [image_batch_size, text_batch_size], and `logits_per_text`; `text_embeds` and `image_embeds`, of length 1',
    ],
  };
  const lines = [...models].map(([name, files]) => {
    const [takes, gives] = rows[name];
    return `| ${files.map((file) => `\`onnx/${file.name}\``).join(' with ')} | ${takes} | ${gives} |`;
  });
  return ['| file | takes | gives |', '|---|---|---|', ...lines].join('\n');
}

function textSection({ tokenizer, textConfig }: Clip): string {
  const { startOfText, endOfText, maximum } = tokenizer;
  const { attention, padding = endOfText, positions } = textConfig;
  const begin = startOfText === undefined ? 'the tokens of a text' : `${startOfText}, the tokens of a text`;
  const clean = isWithoutPunctuation(tokenizer)
    ? ['Write texts in lower case and without punctuation, as this model learnt them.']
    : [];
  const filled: Readonly<Record<string, string>> = {
    toEnd: '`attention_mask` has 1 for ids and 0 for padding.',
    everywhere: `Rows may have fewer than ${positions} ids: the model fills them up itself.`,
  };
  return [
    '## Texts',
    [
      `A row of \`input_ids\` has ${begin}, and ${endOfText}: at most ${maximum} ids. Shorter rows have ${padding} behind that.`,
      ...(attention ? [filled[attention]] : []),
      ...clean,
    ].join('\n'),
  ].join('\n\n');
}

function composedSection({ tokenizer, textConfig }: Clip): string {
  const { id, word } = tokenizer.placeholder;
  return `## Composed queries

A query is a text with \`${word}\` in place of each image, such as \`a photo of ${word} that is swimming\`. Among its ids, ${id} stands for \`${word}\`.
\`phi\` turns an image's embedding into a pseudo token. \`pseudo_tokens\` has one row for each ${id} in \`input_ids\`, in the order in which one
reads them: row by row, from left to right. So a text may hold several images, and a batch many texts. An image that stands in
two places has two rows. With more or fewer rows than places, the model fails. Without any, give it [0, ${textConfig.width}].`;
}

function zeroShotSection(suffix: string): string {
  return `## Zero-shot classification

\`model\` has both towers in one. With transformers.js:

\`\`\`js
${zeroShotScript}
\`\`\`

With optimum (\`pip install 'optimum-onnx[onnxruntime]' pillow\`):

\`\`\`python
${zeroShotPython(suffix)}
\`\`\``;
}

function isWithoutPunctuation(tokenizer: Clip['tokenizer']): boolean {
  return `${tokenizer.encodePart('A dog, red!')}` === `${tokenizer.encodePart('a dog red')}`;
}
