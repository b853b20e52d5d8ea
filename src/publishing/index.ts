/** Phis that leave: files in the layouts of the methods' authors, model cards, and uploads to the hub. */

export {
  type Exported,
  type ExportOptions,
  exportPhi,
  type Published,
  type PublishOptions,
  publishPhi,
} from './export.ts';
