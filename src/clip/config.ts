/** The shapes of a model's two towers, as plain data that crosses processes. */

type Activation = 'quick_gelu' | 'gelu' | 'gelu_tanh';

/**
 * Shape of a tower's transformer. Fields that OpenAI's CLIP does not need are absent in every CLIP, because its fingerprint is
 * computed from its configuration.
 */
export interface TowerConfig {
  /** Width of the hidden states. */
  readonly width: number;
  readonly heads: number;
  readonly layers: number;
  /** Width of the feed-forward layers. */
  readonly feedForward: number;
  readonly activation: Activation;
  readonly epsilon: number;
  /** Dimensions of the embedding space that both towers share. */
  readonly projection: number;
}

export interface TextConfig extends TowerConfig {
  /** Absent: CLIP's transformer. `bert`: BERT's, as XLM-RoBERTa has it, too. */
  readonly kind?: 'bert';
  readonly vocabulary: number;
  readonly positions: number;
  /** Where the table of positions has other rows, too: their number, and the row of a text's first position. */
  readonly positionTable?: { readonly rows: number; readonly first: number };
  /** The end-of-text id, or which id of a text marks its end: the `largest` one, or the `last` one. */
  readonly endOfText: number | 'largest' | 'last';
  /**
   * What a position attends to. Absent: what comes before it. `toEnd`: all of its text. `everywhere`: all positions that the
   * tower has, because texts are always filled up with `padding`.
   */
  readonly attention?: 'toEnd' | 'everywhere';
  /** The id that fills up texts. */
  readonly padding?: number;
  /** The position whose hidden state becomes the embedding, or the `mean` of a text's positions. Absent: the end of text. */
  readonly pooling?: 'first' | 'last' | 'mean';
  /** Whether the projection has a bias. */
  readonly projectionBias?: true;
  /** Width between the two layers of a projection that has two, with GELU between them. Only of BERT's kind. */
  readonly projectionBetween?: number;
}

export interface VisionConfig extends TowerConfig {
  /** Side of the square image, in pixels. */
  readonly imageSize: number;
  readonly patchSize: number;
  readonly channels: number;
  /** Absent: the class token's. `attention`: a learnt query attends to all positions. */
  readonly pooling?: 'attention';
  /** Whether the projection has a bias. */
  readonly projectionBias?: true;
  /** The layers of EVA-02 and PE-Core. Absent: CLIP's, or with pooling by attention SigLIP's, which has no projection. */
  readonly eva?: EvaConfig;
}

/** Where towers of EVA and Perception Encoder differ from each other. */
export interface EvaConfig {
  readonly classToken: boolean;
  /** Whether a norm stands before the layers. Patches have a bias if none does. */
  readonly preNorm: boolean;
  /** Whether the product that makes keys has a bias. */
  readonly keyBias: boolean;
  /** How queries and keys turn by the places of their patches. Absent: they do not. */
  readonly rotary?: RotaryConfig;
  /** Whether feed-forward networks are gated, with a norm inside, as attention then has one before its last product. */
  readonly gated?: true;
  /** Of pooling by attention. Absent: as the layers have. */
  readonly head?: { readonly heads: number; readonly feedForward: number };
}

export interface RotaryConfig {
  /** Patches along a side of the pictures in training. A grid of more or fewer covers the same places. */
  readonly side: number;
  /** The place of the first patch. */
  readonly first: number;
  /** What the first half of a head's channels turns by. */
  readonly order: 'rows' | 'columns';
}

/** A checkpoint has one tower or both. */
export interface ClipConfig {
  readonly text: TextConfig | undefined;
  readonly vision: VisionConfig | undefined;
}

/**
 * Whether later tokens change nothing at earlier ones. Then texts may be cut behind their end, beginnings that they share
 * are computed once, and no gradient is needed before the first placeholder. All of it is exact.
 */
export function isCausal({ attention }: TextConfig): boolean {
  return attention === undefined;
}
