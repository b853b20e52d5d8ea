/** Presets, which users call by short names: models, published phis, and data sets of captions. */

/** A preset of a model: one for which the method is published, or a small relative. */
interface Preset {
  readonly name: string;
  /** The model on the hub. */
  readonly id: string;
  /** Another id for the same architecture and weights. */
  readonly alternative?: string;
  readonly description: string;
  /** Dimensions of its embeddings. */
  readonly dimensions: number;
  /** Millions of parameters in both towers, each four bytes in float32. */
  readonly millions: number;
}

/** A phi that a method's authors published. */
export interface PhiPreset {
  readonly name: string;
  readonly description: string;
  /** The preset of the model that it was trained for. */
  readonly model: string;
  /** OWNER/NAME on the hub. Absent if it is only at `address`. */
  readonly id?: string;
  readonly file: string;
  readonly address: string;
  readonly licence: string;
  /** Known only if the authors or users of the file state it. */
  readonly bytes?: number;
}

/** Data sets on the hub to train on together. */
interface DatasetPreset {
  readonly name: string;
  readonly description: string;
  readonly ids: readonly string[];
}

/** Smallest first. */
export const modelPresets: readonly Preset[] = [
  {
    name: 'base',
    id: 'openai/clip-vit-base-patch32',
    description: 'CLIP ViT-B/32 by OpenAI',
    dimensions: 512,
    millions: 151,
  },
  {
    name: 'base-16',
    id: 'openai/clip-vit-base-patch16',
    description: 'CLIP ViT-B/16 by OpenAI',
    dimensions: 512,
    millions: 150,
  },
  {
    name: 'large',
    id: 'openai/clip-vit-large-patch14',
    description: 'CLIP ViT-L/14 by OpenAI',
    dimensions: 768,
    millions: 428,
  },
  {
    name: 'huge',
    id: 'laion/CLIP-ViT-H-14-laion2B-s32B-b79K',
    description: 'CLIP ViT-H/14 by LAION',
    dimensions: 1024,
    millions: 986,
  },
  {
    name: 'giga',
    id: 'Geonmo/CLIP-Giga-config-fixed',
    alternative: 'laion/CLIP-ViT-bigG-14-laion2B-39B-b160k',
    description: 'CLIP ViT-bigG/14 by LAION',
    dimensions: 1280,
    millions: 2540,
  },
];

const authors = 'navervision/zeroshot-cir-models';
const nonCommercial = 'CC BY-NC 4.0';

export const phiPresets: readonly PhiPreset[] = [
  {
    name: 'lincir-large',
    description: "LinCIR's, by its authors",
    model: 'large',
    id: authors,
    file: 'lincir_large.pt',
    address: `https://huggingface.co/${authors}`,
    licence: nonCommercial,
    bytes: 56_653_151,
  },
  {
    name: 'pic2word-large',
    description: "Pic2Word's, as LinCIR's authors give it",
    model: 'large',
    id: authors,
    file: 'pic2word_large.pt',
    address: `https://huggingface.co/${authors}`,
    licence: 'not stated',
  },
  {
    name: 'searle-large',
    description: "SEARLE's, by its authors",
    model: 'large',
    file: 'SEARLE_ViT-L14.pt',
    address: 'https://github.com/miccunifi/SEARLE/releases/download/weights/SEARLE_ViT-L14.pt',
    licence: nonCommercial,
  },
  {
    name: 'searle-base',
    description: "SEARLE's, by its authors",
    model: 'base',
    file: 'SEARLE_ViT-B32.pt',
    address: 'https://github.com/miccunifi/SEARLE/releases/download/weights/SEARLE_ViT-B32.pt',
    licence: nonCommercial,
  },
];

export const datasetPresets: readonly DatasetPreset[] = [
  {
    name: 'lincir',
    description: "the three data sets of the method's authors",
    ids: [
      'dangne/gcc_caption_only',
      'FredZhang7/stable-diffusion-prompts-2.47M',
      'Geonmo/midjourney-prompts-only',
    ],
  },
];
