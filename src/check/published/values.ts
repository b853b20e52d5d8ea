/** What others published about models: how similar a picture and texts are. None of it was run where lincir was made. */

import type { PublishedPicture } from './pictures.ts';

/** How similarities are given: cosines, the model's logits, or probabilities made of logits. */
export const valueKinds = ['cosines', 'logits', 'softmax', 'sigmoid'] as const;
export type ValueKind = (typeof valueKinds)[number];

/** The largest difference that counts as none: `absolute`, and `relative` times the published value. */
export interface Tolerance {
  readonly absolute: number;
  readonly relative: number;
}

/** One picture with some texts, and what a source says of them. */
export interface KnownValues {
  readonly texts: readonly string[];
  readonly kind: ValueKind;
  /** One for each text. */
  readonly values: readonly number[];
  readonly tolerance: Tolerance;
  /** Who says so: an address, or words. */
  readonly source: string;
}

export interface PublishedValues extends KnownValues {
  /** The model's id on the hub. */
  readonly model: string;
  readonly picture: PublishedPicture;
}

const raw = 'https://raw.githubusercontent.com';
const cats: PublishedPicture = {
  file: '000000039769.jpg',
  address: 'http://images.cocodataset.org/val2017/000000039769.jpg',
  sha256: 'dea9e7ef97386345f7cff32f9055da4982da5471c48d575146c796ab4563b04e',
};
const diagram: PublishedPicture = { file: 'CLIP.png', address: `${raw}/openai/CLIP/main/CLIP.png` };
const cat: PublishedPicture = { file: 'cat.jpg', address: `${raw}/ivy-llc/models/main/images/cat.jpg` };
const pikachu: PublishedPicture = {
  file: 'pokemon.jpeg',
  address: `${raw}/OFA-Sys/Chinese-CLIP/master/examples/pokemon.jpeg`,
};

const transformers = 'https://github.com/huggingface/transformers/blob/main';
const testOf = (model: string) => `${transformers}/tests/models/${model}/test_modeling_${model}.py`;
const ofPipelines = `${transformers}/tests/pipelines/test_pipelines_zero_shot_image_classification.py`;

/** As the tests themselves allow. */
const asTested: Tolerance = { absolute: 1e-3, relative: 1e-3 };
/** For values that were rounded to three decimals. */
const threeDecimals: Tolerance = { absolute: 2e-3, relative: 0 };
/** For models that were run in half precision. */
const halfProbabilities: Tolerance = { absolute: 5e-4, relative: 0 };
const halfLogits: Tolerance = { absolute: 0.05, relative: 0 };

/** The logits of OpenAI's models that the tests of ivy's models give, in the order of `things`. */
const ofIvy: Readonly<Record<string, readonly number[]>> = {
  'openai/clip-vit-base-patch32': [17.3713417, 19.5949516, 25.5068512],
  'openai/clip-vit-base-patch16': [17.9823151, 20.7719479, 26.9038792],
  'openai/clip-vit-large-patch14': [11.9254637, 15.6604385, 22.6723843],
  'openai/clip-vit-large-patch14-336': [10.9720955, 13.5543489, 21.4815979],
};
const things = ['a diagram', 'a dog', 'a cat'];
const pokemon = ['杰尼龟', '妙蛙种子', '小火龙', '皮卡丘'];

/** A new value is an entry here. */
export const publishedValues: readonly PublishedValues[] = [
  {
    model: 'openai/clip-vit-base-patch32',
    picture: cats,
    texts: ['a photo of a cat', 'a photo of a dog'],
    kind: 'logits',
    values: [24.5701, 19.3049],
    tolerance: asTested,
    source: testOf('clip'),
  },
  {
    model: 'openai/clip-vit-base-patch32',
    picture: cats,
    texts: ['This is a photo of cat.', 'This is a photo of plane.', 'This is a photo of remote.'],
    kind: 'softmax',
    values: [0.485, 0.004, 0.511],
    tolerance: threeDecimals,
    source: ofPipelines,
  },
  {
    model: 'openai/clip-vit-base-patch32',
    picture: diagram,
    texts: things,
    kind: 'softmax',
    values: [0.9927937, 0.00421068, 0.00299572],
    tolerance: halfProbabilities,
    source: 'https://github.com/openai/CLIP/blob/main/README.md',
  },
  ...Object.entries(ofIvy).map(([model, values]) => ({
    ...{ model, picture: cat, texts: things, kind: 'logits' as const, values, tolerance: halfLogits },
    source: 'https://github.com/ivy-llc/models/blob/main/ivy_models_tests/clip/test_clip.py',
  })),
  {
    model: 'laion/CLIP-ViT-B-32-laion2B-s34B-b79K',
    picture: diagram,
    texts: things,
    kind: 'softmax',
    values: [1, 0, 0],
    tolerance: { absolute: 0.01, relative: 0 }, // the README gives no decimals
    source: 'https://github.com/mlfoundations/open_clip/blob/main/README.md',
  },
  {
    model: 'google/siglip-base-patch16-224',
    picture: cats,
    texts: ['a photo of 2 cats', 'a photo of 2 dogs'],
    kind: 'logits',
    values: [-0.7567, -10.3354],
    tolerance: asTested,
    source: testOf('siglip'),
  },
  {
    model: 'google/siglip-base-patch16-224',
    picture: cats,
    texts: ['This is a photo of 2 cats.', 'This is a photo of a plane.', 'This is a photo of a remote.'],
    kind: 'sigmoid',
    values: [0.198, 0, 0],
    tolerance: threeDecimals,
    source: ofPipelines,
  },
  {
    model: 'google/siglip2-base-patch16-224',
    picture: cats,
    texts: ['This is a photo of 2 cats.'],
    kind: 'sigmoid',
    values: [0.15],
    tolerance: threeDecimals,
    source: `${transformers}/docs/source/en/model_doc/siglip2.md (of version 4.49)`,
  },
  {
    model: 'facebook/metaclip-2-worldwide-huge-quickgelu',
    picture: cats,
    texts: ['a photo of a cat', 'a photo of a dog'],
    kind: 'logits',
    values: [19.9799, 13.6169],
    tolerance: asTested,
    source: testOf('metaclip_2'),
  },
  {
    model: 'OFA-Sys/chinese-clip-vit-base-patch16',
    picture: pikachu,
    texts: pokemon,
    kind: 'softmax',
    values: [1.2686e-3, 5.4499e-2, 6.7968e-4, 0.94355],
    tolerance: { absolute: 5e-3, relative: 5e-3 }, // as transformers' test allows
    source: 'https://huggingface.co/OFA-Sys/chinese-clip-vit-base-patch16',
  },
];
