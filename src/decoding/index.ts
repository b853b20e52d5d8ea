/** Decoding images on this machine: all formats, within bounds of memory and time. `#decode` names this folder. */

export { decodeImage, decodeWindow, shownImage } from './decode.ts';
export { formatOf } from './format.ts';
export { joinBudget, newBudget } from './memory-budget.ts';
