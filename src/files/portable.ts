/** What needs no platform of files: transfers over HTTP. */

export { Interruption, transfer, waitAskedBy } from './transfer.ts';
