/** The worker of the page: everything that takes long happens here. */

import '../../shell/no-eval.ts';
import type { SearchRequest } from '../../../../src/api/client.ts';
import { configureHub, describeModel, forgetModel, keptModels } from '../../../../src/browser/index.ts';
import { answerCalls } from './calls.ts';
import { Engine, type OpenedFolder } from './engine.ts';
import type { IndexingWishes } from './indexing.ts';
import type { ListedFiles } from './scan.ts';
import type { ModelChoice, PhiChoice, State } from './state.ts';

/** The build puts it in. */
declare const HUB_ENDPOINT: string;
configureHub({ endpoint: HUB_ENDPOINT, half: true });

const engine = new Engine((state) => tell(state));

const calls = {
  open: () => engine.open(),
  state: () => engine.state,
  server: () => engine.state.server,
  search: (request: SearchRequest) => engine.search(request),
  image: (id: string) => engine.image(id),
  values: (asked: { readonly column: string; readonly prefix?: string; readonly limit?: number }) =>
    engine.values(asked),
  upload: (file: File) => engine.upload(file),
  thumbnail: (id: string) => engine.thumbnail(id),
  uploadThumbnail: (handle: string) => engine.uploadThumbnail(handle),
  original: (id: string) => engine.original(id),
  chooseModel: (choice: ModelChoice) => engine.chooseModel(choice),
  pauseDownload: () => engine.models.pause(),
  choosePhi: (choice: PhiChoice | undefined) => engine.models.choosePhi(choice),
  openFolder: (folder: OpenedFolder) => engine.openFolder(folder),
  listFiles: (files: ListedFiles) => engine.listFiles(files),
  removeFolder: (name: string) => engine.removeFolder(name),
  index: (asked: IndexingWishes & { readonly isAnew?: boolean }) => engine.index(asked),
  pause: () => engine.pause(),
  goOn: () => engine.goOn(),
  broken: () => engine.brokenPictures(),
  /** What a model is on the hub, and how much of it is here. */
  describe: (name: string, signal: AbortSignal) => describeModel(name, { signal }),
  keptModels: () => keptModels(),
  deleteModel: (id: string) => forgetModel(id),
  deleteAll: () => engine.deleteAll(),
};

export type EngineCalls = typeof calls;

const tell = answerCalls<State>(self, calls);
