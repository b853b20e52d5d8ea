/** Presets, which users call by short names: models, published phis, and data sets of captions. */

/** A preset of a model: one for which the method is published, a relative of it, or one that many use. */
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
  /** As its authors state it. */
  readonly licence: string;
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

const nonCommercial = 'CC BY-NC 4.0';
const ofApple = 'Apple Sample Code License';

/** First those for which the method is published, smallest first, then others by family. */
export const modelPresets: readonly Preset[] = [
  {
    name: 'base',
    id: 'openai/clip-vit-base-patch32',
    description: 'CLIP ViT-B/32 by OpenAI',
    dimensions: 512,
    millions: 151,
    licence: 'MIT',
  },
  {
    name: 'base-16',
    id: 'openai/clip-vit-base-patch16',
    description: 'CLIP ViT-B/16 by OpenAI',
    dimensions: 512,
    millions: 150,
    licence: 'MIT',
  },
  {
    name: 'large',
    id: 'openai/clip-vit-large-patch14',
    description: 'CLIP ViT-L/14 by OpenAI',
    dimensions: 768,
    millions: 428,
    licence: 'MIT',
  },
  {
    name: 'huge',
    id: 'laion/CLIP-ViT-H-14-laion2B-s32B-b79K',
    description: 'CLIP ViT-H/14 by LAION',
    dimensions: 1024,
    millions: 986,
    licence: 'MIT',
  },
  {
    name: 'giga',
    id: 'Geonmo/CLIP-Giga-config-fixed',
    alternative: 'laion/CLIP-ViT-bigG-14-laion2B-39B-b160k',
    description: 'CLIP ViT-bigG/14 by LAION',
    dimensions: 1280,
    millions: 2540,
    licence: 'MIT',
  },
  {
    name: 'bge-vl-base',
    id: 'BAAI/BGE-VL-base',
    description: 'BGE-VL (CLIP ViT-B/16), trained for composed retrieval',
    dimensions: 512,
    millions: 150,
    licence: 'MIT',
  },
  {
    name: 'bge-vl-large',
    id: 'BAAI/BGE-VL-large',
    description: 'BGE-VL (CLIP ViT-L/14), trained for composed retrieval',
    dimensions: 768,
    millions: 428,
    licence: 'MIT',
  },
  {
    name: 'laion-large',
    id: 'laion/CLIP-ViT-L-14-laion2B-s32B-b82K',
    description: 'CLIP ViT-L/14 by LAION',
    dimensions: 768,
    millions: 428,
    licence: 'MIT',
  },
  {
    name: 'datacomp-large',
    id: 'laion/CLIP-ViT-L-14-DataComp.XL-s13B-b90K',
    description: 'CLIP ViT-L/14 on DataComp',
    dimensions: 768,
    millions: 428,
    licence: 'MIT',
  },
  {
    name: 'dfn-large',
    id: 'apple/DFN2B-CLIP-ViT-L-14',
    description: 'CLIP ViT-L/14 on DFN-2B by Apple',
    dimensions: 768,
    millions: 428,
    licence: ofApple,
  },
  {
    name: 'dfn-huge',
    id: 'apple/DFN5B-CLIP-ViT-H-14-378',
    description: 'CLIP ViT-H/14 at 378 pixels on DFN-5B by Apple',
    dimensions: 1024,
    millions: 987,
    licence: ofApple,
  },
  {
    name: 'metaclip-large',
    id: 'facebook/metaclip-l14-fullcc2.5b',
    description: 'MetaCLIP ViT-L/14 by Meta',
    dimensions: 768,
    millions: 428,
    licence: nonCommercial,
  },
  {
    name: 'eva02-large',
    id: 'timm/eva02_large_patch14_clip_336.merged2b_s6b_b61k',
    description: 'EVA-02-CLIP L/14 at 336 pixels by BAAI',
    dimensions: 768,
    millions: 428,
    licence: 'MIT',
  },
  {
    name: 'pe-core-large',
    id: 'timm/PE-Core-L-14-336',
    description: 'PE-Core L/14 at 336 pixels by Meta',
    dimensions: 1024,
    millions: 671,
    licence: 'Apache 2.0',
  },
  {
    name: 'siglip-base',
    id: 'google/siglip-base-patch16-256',
    description: 'SigLIP B/16 at 256 pixels by Google',
    dimensions: 768,
    millions: 203,
    licence: 'Apache 2.0',
  },
  {
    name: 'siglip-large',
    id: 'google/siglip-large-patch16-256',
    description: 'SigLIP L/16 at 256 pixels by Google',
    dimensions: 1024,
    millions: 652,
    licence: 'Apache 2.0',
  },
  {
    name: 'siglip-so400m',
    id: 'google/siglip-so400m-patch14-384',
    description: 'SigLIP So400m/14 at 384 pixels by Google',
    dimensions: 1152,
    millions: 878,
    licence: 'Apache 2.0',
  },
  {
    name: 'siglip2-base',
    id: 'google/siglip2-base-patch16-256',
    description: 'SigLIP 2 B/16 at 256 pixels by Google, multilingual',
    dimensions: 768,
    millions: 375,
    licence: 'Apache 2.0',
  },
  {
    name: 'siglip2-large',
    id: 'google/siglip2-large-patch16-256',
    description: 'SigLIP 2 L/16 at 256 pixels by Google, multilingual',
    dimensions: 1024,
    millions: 882,
    licence: 'Apache 2.0',
  },
  {
    name: 'siglip2-so400m',
    id: 'google/siglip2-so400m-patch16-384',
    description: 'SigLIP 2 So400m/16 at 384 pixels by Google, multilingual',
    dimensions: 1152,
    millions: 1136,
    licence: 'Apache 2.0',
  },
  {
    name: 'siglip2-giant',
    id: 'google/siglip2-giant-opt-patch16-256',
    description: 'SigLIP 2 giant/16 at 256 pixels by Google, multilingual',
    dimensions: 1536,
    millions: 1871,
    licence: 'Apache 2.0',
  },
  {
    name: 'xlm-r-base',
    id: 'laion/CLIP-ViT-B-32-xlm-roberta-base-laion5B-s13B-b90k',
    description: 'CLIP ViT-B/32 with XLM-RoBERTa by LAION, multilingual',
    dimensions: 512,
    millions: 366,
    licence: 'MIT',
  },
  {
    name: 'xlm-r-huge',
    id: 'laion/CLIP-ViT-H-14-frozen-xlm-roberta-large-laion5B-s13B-b90k',
    description: 'CLIP ViT-H/14 with XLM-RoBERTa by LAION, multilingual',
    dimensions: 1024,
    millions: 1193,
    licence: 'MIT',
  },
  {
    name: 'chinese-clip',
    id: 'OFA-Sys/chinese-clip-vit-large-patch14',
    description: 'Chinese-CLIP ViT-L/14 by Alibaba',
    dimensions: 768,
    millions: 406,
    licence: 'MIT',
  },
  {
    name: 'metaclip-2',
    id: 'facebook/metaclip-2-worldwide-huge-quickgelu',
    description: 'MetaCLIP 2 ViT-H/14 by Meta, multilingual',
    dimensions: 1024,
    millions: 1859,
    licence: nonCommercial,
  },
];

const authors = 'navervision/zeroshot-cir-models';

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
