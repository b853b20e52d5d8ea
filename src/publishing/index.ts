/** What leaves: phis in the layouts of the methods' authors, model cards, uploads to the hub, and models as ONNX files. */

export {
  type Exported,
  type ExportOptions,
  exportPhi,
  type Published,
  type PublishOptions,
  publishPhi,
} from './export.ts';
export { type ExportedOnnx, type ExportOnnxOptions, exportOnnx } from './onnx/export.ts';
