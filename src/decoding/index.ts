/** Decoding images on this machine: all formats, within bounds of memory and time. `#decode` names this folder. */

export { decodeImage, decodeWindow, fittedImage, shownImage } from './decode.ts';
export { formatOf, type ImageFormat } from './format.ts';
export { joinBudget, newBudget } from './memory-budget.ts';
