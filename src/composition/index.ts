/** Composing a query: images and words to one vector, by phi or without training. */

export {
  type ComposeOptions,
  compose,
  expectDirection,
  type Method,
  methodOf,
  methods,
  type Query,
  type Reference,
} from './compose.ts';
export { slerp, slerpWeight, sum } from './mixing.ts';
export {
  composePrompt,
  defaultPrompt,
  namesImages,
  plainText,
  promptParts,
  withoutPlaces,
} from './prompt.ts';
