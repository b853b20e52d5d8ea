/** What needs no platform of the hub: names, what a repository lists, which of it is wanted, and requests. */

export type { RemoteFile } from './download.ts';
export { checkedEndpoint, hubAddress } from './endpoint.ts';
export { chosenRevision, isHubId, presetId, splitName, unknownModel } from './ids.ts';
export { filesOf, halfWeights, smallFiles } from './layouts.ts';
export { askListing, type HubAnswer, type Listing, listingOf, parseListing } from './listing.ts';
export {
  expectModelOfPhi,
  licenceNotice,
  modelOfPhi,
  onlyPhi,
  type PhiPlace,
  phiPlace,
} from './phi-names.ts';
export { type Connection, defaultPatience, get, persistently } from './request.ts';
