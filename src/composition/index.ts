/** Composes queries: turns images and words into one vector, with phi or without training. */

export {
  type ComposingModel,
  composeAll,
  expectDirection,
  expectTexts,
  type KnownTexts,
  type PseudoTokenEncoder,
} from './batch.ts';
export { type Method, methodNames, methods, phiMethods, weightedMethods } from './choices.ts';
export {
  asEncoded,
  type ComposeOptions,
  compose,
  type EmbeddedImage,
  type Query,
  type Reference,
} from './compose.ts';
export { type Feedback, withFeedback } from './feedback.ts';
export { methodOf, weightOf } from './methods.ts';
export { type NearestRow, nearest } from './nearest.ts';
export {
  composePrompt,
  defaultPrompt,
  namesImages,
  plainText,
  promptBeginning,
  promptParts,
  withoutPlaces,
} from './prompt.ts';
