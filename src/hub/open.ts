/** Opens models and phis by name. `#models` gives these functions to the folders that know no disk and no hub. */

import type { ModelFiles, RandomAccess } from '../core/index.ts';
import { fileSource, folderFiles, singleFile, statOf } from '../files/index.ts';
import { type ResolveOptions, resolveModel } from './models.ts';
import { type PhiFileOptions, phiFileOf } from './phi-file.ts';

/** A model's files, and its id if it is from the hub. Throws as `resolveModel` does. */
export async function openModel(
  name: string,
  options: ResolveOptions = {},
): Promise<{ readonly files: ModelFiles; readonly id: string | undefined }> {
  const { folder, id } = await resolveModel(name, options);
  const isFile = (await statOf(folder))?.isFile() === true;
  return { files: isFile ? await singleFile(folder) : folderFiles(folder), id };
}

/** A phi's file. Throws as `phiFileOf` does. */
export async function openPhi(name: string, options: PhiFileOptions = {}): Promise<RandomAccess> {
  return await fileSource(await phiFileOf(name, options));
}
