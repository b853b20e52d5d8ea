/** In place of `src/files`, for tests that run in pages: the files of the repository, as its test server gives them. */

import type { ModelFiles, RandomAccess } from '../../../src/core/index.ts';

export const folderFiles = (folder: string): ModelFiles => ({
  name: folder,
  read: (name) => fileAt(`${folder}/${name}`),
});

export async function singleFile(path: string): Promise<ModelFiles> {
  return { ...folderFiles(path.slice(0, path.lastIndexOf('/'))), name: path, single: await neededFile(path) };
}

export async function readingFile<Result>(
  path: string,
  use: (file: RandomAccess) => Promise<Result>,
): Promise<Result> {
  return await use(await neededFile(path));
}

async function neededFile(path: string): Promise<RandomAccess> {
  const file = await fileAt(path);
  if (!file) throw new Error(`the server has no ${path}`);
  return file;
}

async function fileAt(path: string): Promise<RandomAccess | undefined> {
  const response = await fetch(new URL(`/repository/${path}`, import.meta.url));
  if (!response.ok) return undefined;
  const bytes = new Uint8Array(await response.arrayBuffer());
  return {
    name: path,
    size: bytes.length,
    read: async (offset, length) => bytes.slice(offset, offset + length),
  };
}
