/** What this machine has, and whether a device computes what the CPU computes. */

export { type DeviceOptions, type Proof, proveDevice } from './device.ts';
export { type EightBitLoss, eightBitLoss, leastOfEightBits, readableImages } from './int8.ts';
export { describeMachine, type Machine, type Offer } from './machine.ts';
export { type CheckedValues, checkPublished, checkRecorded } from './published/check.ts';
export type { PictureOptions } from './published/pictures.ts';
export { recordValues } from './published/recorded.ts';
export { type PublishedValues, publishedValues } from './published/values.ts';
export { type ProductSpeed, productSpeed } from './speed.ts';
