/** Node's file system: files as sources of bytes, atomic writes, locks and caches. */

export { asideIn, removeLeftovers } from './asides.ts';
export { cacheFolder } from './cache-folder.ts';
export {
  FileSource,
  fileSource,
  folderFiles,
  openFile,
  readingFile,
  readJsonFile,
  singleFile,
  statOf,
} from './file-source.ts';
export { FolderWatch } from './folder-watch.ts';
export { freeSpace } from './free-space.ts';
export { hashOfFile } from './hash-file.ts';
export { keep, kept } from './kept.ts';
export { batched, fileLines, readLines } from './lines.ts';
export { aloneIn, exclusively, type Lock, lockLifetime, takeLock } from './lock.ts';
export { isRunning, type Owner, shortPlace, thisProcess } from './owner.ts';
export { pathOnDisk, pathsOnDisk } from './path-on-disk.ts';
export { asLincirError } from './refusals.ts';
export { Scratch, type ScratchFile } from './scratch.ts';
export { Interruption, transfer, waitAskedBy } from './transfer.ts';
export { VectorCache } from './vector-cache.ts';
export { versions } from './versions.ts';
export { warn, warningName } from './warn.ts';
export { makeFolder, writeFileAtomically, writeJsonFile } from './write-file.ts';
export { writeFolderAtomically } from './write-folder.ts';
export { type TensorToWrite, writeNpy, writeSafetensors } from './write-tensors.ts';
export { writeTorchCheckpoint } from './write-torch.ts';
