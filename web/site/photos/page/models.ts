/** Chooses models, now and at the next visit: the worker loads them, and the browser remembers them. */

import type { ListedFile } from '../engine/scan.ts';
import type { Engine } from './engine.ts';
import { askAgain, listed, mayRead, pickFolder } from './folders.ts';
import { changeSettings, readSettings } from './settings.ts';

/** Asks browsers not to delete what this page keeps. They may refuse. */
function keep(): void {
  void navigator.storage?.persist?.().catch(() => undefined);
}

/** A model on the hub. */
export async function chooseModel(engine: Engine, name: string): Promise<void> {
  keep();
  await changeSettings(() => ({ model: name, modelFolder: undefined, phi: undefined }));
  await engine.call('chooseModel', { kind: 'preset', name });
}

/** A model on disk, in a browser that remembers folders. */
export async function pickModel(engine: Engine): Promise<boolean> {
  const handle = await pickFolder('model');
  if (handle === undefined) return false;
  await changeSettings(() => ({ model: undefined, modelFolder: handle, phi: undefined }));
  await engine.call('chooseModel', { kind: 'folder', name: handle.name, handle });
  return true;
}

/** A model on disk, for this visit. */
export async function giveModel(engine: Engine, files: FileList): Promise<void> {
  const all: ListedFile[] = await Array.fromAsync(listed(files));
  const name = all[0]?.file.webkitRelativePath.split('/')[0] || 'the model from your disk';
  await changeSettings(() => ({ model: undefined, modelFolder: undefined, phi: undefined }));
  await engine.call('chooseModel', { kind: 'files', name, files: all });
}

/** Chooses the model of the last visit again, or goes on with its download. Returns a folder that the browser asks about. */
export async function chooseAgain(engine: Engine): Promise<FileSystemDirectoryHandle | undefined> {
  const { model, modelFolder: handle, phi } = await readSettings();
  if (handle && !(await mayRead(handle))) return handle;
  if (handle) await engine.call('chooseModel', { kind: 'folder', name: handle.name, handle });
  else if (model !== undefined) await engine.call('chooseModel', { kind: 'preset', name: model });
  else return undefined;
  if (phi !== undefined) await engine.call('choosePhi', { kind: 'preset', name: phi });
  return undefined;
}

/** Asks the browser for the model's folder again. It asks the person, so this must follow a click. */
export async function allowModelFolder(engine: Engine, handle: FileSystemDirectoryHandle): Promise<boolean> {
  if (!(await askAgain(handle))) return false;
  await chooseAgain(engine);
  return true;
}

/** The same after a failure or a pause. It may ask the person, so this must follow a click. */
export async function tryAgain(engine: Engine): Promise<void> {
  const { model, modelFolder } = await readSettings();
  if (model === undefined && modelFolder === undefined)
    throw new Error('Choose the model’s folder again, under “Another model”.');
  if (modelFolder === undefined || (await askAgain(modelFolder))) await chooseAgain(engine);
}
