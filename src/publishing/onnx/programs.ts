/** Programs that use exported models, in Python and JavaScript. The tests run the first. */

import type { ImagePreprocessing, TextConfig, TextTokenizer } from '../../clip/index.ts';

export interface ProgramFacts {
  readonly text?: TextConfig;
  readonly tokenizer?: TextTokenizer;
  readonly preprocessing?: ImagePreprocessing;
  /** Whether there is a phi. */
  readonly isComposing: boolean;
  /** Of the files' names, before `.onnx`. */
  readonly suffix: string;
  /** As `config.json` has it. */
  readonly modelType: string;
}

/** Embeds pictures and texts; and composes a query, if there is a phi, to rank the pictures. */
export function pythonProgram({ text, tokenizer, preprocessing, isComposing, suffix }: ProgramFacts): string {
  const parts = [
    `import numpy as np
import onnxruntime${preprocessing ? '\nfrom PIL import Image, ImageOps' : ''}${text ? '\nfrom tokenizers import Tokenizer' : ''}


def run(model, **inputs):
    session = onnxruntime.InferenceSession(f'onnx/{model}${suffix}.onnx')  # keep it, if you run it again
    return session.run(None, inputs)[0]


def scaled(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)`,
    ...(preprocessing ? [pythonPixels(preprocessing)] : []),
    ...(text && tokenizer ? [pythonIds(text, tokenizer, isComposing)] : []),
    [
      ...(preprocessing
        ? [
            "images = run('vision_model', pixel_values=np.stack([pixels_of('dog.jpg'), pixels_of('beach.jpg')]))",
          ]
        : []),
      ...(text ? ["texts = run('text_model', **ids_of(['a photo of a dog', 'the sea']))"] : []),
      ...(preprocessing && text ? ['print(scaled(texts) @ scaled(images).T)'] : []),
      ...(preprocessing && text && isComposing
        ? [
            "pseudo_tokens = run('phi', image_embeds=images)",
            "queries = ids_of(['a photo of $ that is swimming', 'the dog of $ on the beach of $'])",
            '# The first query has the dog, the second one both pictures.',
            "composed = run('text_model_with_pseudo_tokens', **queries, pseudo_tokens=pseudo_tokens[[0, 0, 1]])",
            'print(scaled(composed) @ scaled(images).T)',
          ]
        : []),
    ].join('\n'),
  ];
  return parts.join('\n\n\n');
}

function pythonPixels({ resize, filter, crop, scale, mean, deviation }: ImagePreprocessing): string {
  const { width, height } = crop;
  const method = `Image.Resampling.${filter.toUpperCase()}`;
  const resized =
    resize === undefined
      ? []
      : 'shortSide' in resize
        ? [
            `    short = min(image.size)`,
            `    size = [side * ${resize.shortSide} // short for side in image.size]`,
            `    image = image.resize(size, ${method})`,
          ]
        : [`    image = image.resize((${resize.width}, ${resize.height}), ${method})`];
  return `def pixels_of(path):
    image = ImageOps.exif_transpose(Image.open(path)).convert('RGB')
${resized.join('\n')}
    left, top = (image.width - ${width}) // 2, (image.height - ${height}) // 2
    image = image.crop((left, top, left + ${width}, top + ${height}))
    pixels = np.asarray(image, np.float32) * np.float32(${scale})
    pixels = (pixels - np.float32([${mean.join(', ')}])) / np.float32([${deviation.join(', ')}])
    return pixels.transpose(2, 0, 1)  # [3, ${height}, ${width}]`;
}

function pythonIds(text: TextConfig, tokenizer: TextTokenizer, isComposing: boolean): string {
  const { startOfText, endOfText, maximum } = tokenizer;
  const padding = text.padding ?? endOfText;
  const start = startOfText === undefined ? '' : `${startOfText}`;
  const body = isComposing
    ? `        row = [${start}]
        for number, part in enumerate(text.split('$')):
            row += [${tokenizer.placeholder.id}] * (number > 0)  # in place of $
            row += tokenizer.encode(part.removesuffix(' '), add_special_tokens=False).ids`
    : `        row = [${start}] + tokenizer.encode(text, add_special_tokens=False).ids`;
  const mask =
    text.attention === 'toEnd'
      ? ", 'attention_mask': np.int64([[1] * len(row) + [0] * (longest - len(row)) for row in rows])"
      : '';
  return `tokenizer = Tokenizer.from_file('tokenizer.json')
tokenizer.no_padding()
tokenizer.no_truncation()


def ids_of(texts):
    rows = []
    for text in texts:
${body}
        rows.append(row[:${maximum - 1}] + [${endOfText}])
    longest = max(map(len, rows))
    ids = np.int64([row + [${padding}] * (longest - len(row)) for row in rows])
    return {'input_ids': ids${mask}}`;
}

/** The same with transformers.js. */
export function scriptProgram({
  text,
  tokenizer,
  preprocessing,
  isComposing,
  modelType,
}: ProgramFacts): string {
  const isSiglip = modelType.startsWith('siglip');
  const vision = isSiglip ? 'SiglipVisionModel' : 'CLIPVisionModelWithProjection';
  const words = isSiglip ? 'SiglipTextModel' : 'CLIPTextModelWithProjection';
  const isWhole = preprocessing !== undefined && text !== undefined && tokenizer !== undefined;
  const imports = [
    ...(preprocessing ? ['AutoProcessor', vision, 'load_image'] : []),
    ...(text ? ['AutoTokenizer', words, 'Tensor'] : []),
  ].sort((a, b) => a.localeCompare(b));
  return [
    `import { ${imports.join(', ')} } from '@huggingface/transformers';`,
    '',
    "const folder = './FOLDER'; // this one",
    ...(preprocessing
      ? [
          'const processor = await AutoProcessor.from_pretrained(folder);',
          `const visionModel = await ${vision}.from_pretrained(folder);`,
          "const { image_embeds } = await visionModel(await processor([await load_image('dog.jpg'), await load_image('beach.jpg')]));",
        ]
      : []),
    ...(text && tokenizer
      ? [
          '',
          'const tokenizer = await AutoTokenizer.from_pretrained(folder);',
          ...scriptIds(text, tokenizer, isComposing),
          `const textModel = await ${words}.from_pretrained(folder);`,
          "const { text_embeds } = await textModel(idsOf('a photo of a dog'));",
        ]
      : []),
    ...(isWhole && isComposing
      ? [
          '',
          `const phi = await ${vision}.from_pretrained(folder, { model_file_name: 'phi' });`,
          `const composing = await ${words}.from_pretrained(folder, { model_file_name: 'text_model_with_pseudo_tokens' });`,
          'const { pseudo_tokens } = await phi({ image_embeds }); // of both pictures',
          "const query = await composing({ ...idsOf('the dog of $ on the beach of $'), pseudo_tokens });",
          'console.log(query.text_embeds.normalize());',
        ]
      : []),
  ].join('\n');
}

function scriptIds(text: TextConfig, tokenizer: TextTokenizer, isComposing: boolean): string[] {
  const { startOfText, endOfText, maximum } = tokenizer;
  const encoded = (words: string) => `...tokenizer.encode(${words}, { add_special_tokens: false })`;
  const start = startOfText === undefined ? '' : `${startOfText}`;
  return [
    'function idsOf(text) {',
    ...(isComposing
      ? [
          `  const ids = [${start}];`,
          "  for (const [number, part] of text.split('$').entries()) {",
          `    if (number > 0) ids.push(${tokenizer.placeholder.id}); // in place of $`,
          `    ids.push(${encoded("part.replace(/ $/, '')")});`,
          '  }',
        ]
      : [`  const ids = [${[start, encoded('text')].filter(Boolean).join(', ')}];`]),
    `  const row = [...ids.slice(0, ${maximum - 1}), ${endOfText}];`,
    "  const input_ids = new Tensor('int64', BigInt64Array.from(row, BigInt), [1, row.length]);",
    ...(text.attention === 'toEnd'
      ? [
          "  const attention_mask = new Tensor('int64', new BigInt64Array(row.length).fill(1n), [1, row.length]);",
          '  return { input_ids, attention_mask };',
        ]
      : ['  return { input_ids };']),
    '}',
  ];
}

/** Says what is in a picture, with transformers.js. */
export const zeroShotScript = `import { pipeline } from '@huggingface/transformers';

const classify = await pipeline('zero-shot-image-classification', './FOLDER'); // this one
console.log(await classify('dog.jpg', ['dog', 'beach']));`;

/** The same with optimum. */
export const zeroShotPython = (
  suffix: string,
): string => `from optimum.onnxruntime import ORTModelForZeroShotImageClassification
from transformers import AutoImageProcessor, AutoTokenizer, pipeline

model = ORTModelForZeroShotImageClassification.from_pretrained('.', file_name='model${suffix}.onnx', subfolder='onnx')
parts = {'tokenizer': AutoTokenizer.from_pretrained('.'), 'image_processor': AutoImageProcessor.from_pretrained('.')}
classify = pipeline('zero-shot-image-classification', model, **parts)
print(classify('dog.jpg', candidate_labels=['dog', 'beach']))`;
