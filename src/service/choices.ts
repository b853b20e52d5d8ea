/** How served indexes are named; loads no library. */

export { servedName } from './names.ts';
export type { IndexToServe } from './options.ts';
