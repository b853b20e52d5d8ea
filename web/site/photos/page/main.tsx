/** The page of your own photos begins here: its worker, and what is shown of it. */

import { render } from 'preact';
import { useCallback, useEffect, useMemo, useState } from 'preact/hooks';
import '../../../src/styles/base.css';
import '../../../src/styles/composer.css';
import '../../../src/styles/results.css';
import '../../../src/styles/dialogs.css';
import './photos.css';
import { connect } from '../../../src/back-end.ts';
import { asFailure } from '../../../src/failure.ts';
import { Page } from '../../../src/page.tsx';
import { applyTheme, readTheme } from '../../../src/theme.ts';
import { keepOffline } from '../../shell/offline.ts';
import type { State } from '../engine/state.ts';
import { type Photos, PhotosContext } from './context.ts';
import { useDrops } from './drops.ts';
import { startEngine, tabBackEnd } from './engine.ts';
import { askAgain, openRemembered } from './folders.ts';
import { Library } from './library.tsx';
import { allowModelFolder, chooseAgain } from './models.ts';
import type { RememberedFolder } from './settings.ts';
import { Setup } from './setup.tsx';
import { Strip } from './strip.tsx';

let crash: ((message: string) => void) | undefined;
const engine = startEngine((message) => crash?.(message));
connect(tabBackEnd(engine));

function Main() {
  const [state, setState] = useState<State>();
  const [refused, setRefused] = useState<readonly RememberedFolder[]>([]);
  const [refusedModel, setRefusedModel] = useState<FileSystemDirectoryHandle>();
  const [problem, setProblem] = useState<string>();
  const [showsLibrary, setShowsLibrary] = useState(false);

  const tell = useCallback((error: unknown) => {
    const { detail, todo } = asFailure(error);
    setProblem([detail, todo].filter(Boolean).join(' '));
  }, []);
  crash = (message) => setProblem(`The page's worker has failed: ${message}. Load the page again.`);

  useEffect(() => engine.watch(setState), []);
  const attempt = useCallback(
    (work: () => Promise<unknown>) => {
      setProblem(undefined);
      work().catch(tell);
    },
    [tell],
  );
  useEffect(() => {
    attempt(async () => {
      await engine.call('open', undefined);
      setRefusedModel(await chooseAgain(engine));
      setRefused(await openRemembered(engine));
    });
  }, [attempt]);
  const allow = useCallback(
    (folder: RememberedFolder) =>
      attempt(async () => {
        if (!(await askAgain(folder.handle))) return;
        await engine.call('openFolder', folder);
        setRefused((old) => old.filter((one) => one !== folder));
      }),
    [attempt],
  );
  const allowModel = useCallback(
    (handle: FileSystemDirectoryHandle) =>
      attempt(async () => {
        if (await allowModelFolder(engine, handle)) setRefusedModel(undefined);
      }),
    [attempt],
  );
  const photos = useMemo<Photos | undefined>(
    () => state && { engine, state, refused, refusedModel, attempt, allow, allowModel, problem },
    [state, refused, refusedModel, attempt, allow, allowModel, problem],
  );
  const canSearch = (state?.server.indexes[0]?.images ?? 0) > 0 && state?.model !== undefined;
  useDrops(engine, canSearch, attempt);
  if (photos === undefined) return problem ? <Trouble text={problem} /> : <main aria-busy="true" />;
  const { server, isElsewhere } = photos.state;
  return (
    <PhotosContext.Provider value={photos}>
      {isElsewhere ? (
        <Trouble text="Another tab has your photos open. Close it, or go on there: this page takes over by itself when it is closed." />
      ) : canSearch ? (
        <>
          <Page
            server={server}
            isAway={false}
            onReload={() => undefined}
            onLibrary={() => setShowsLibrary(true)}
            above={<Strip onLibrary={() => setShowsLibrary(true)} />}
          />
          {showsLibrary && <Library onClose={() => setShowsLibrary(false)} />}
        </>
      ) : (
        <Setup />
      )}
    </PhotosContext.Provider>
  );
}

function Trouble({ text }: { readonly text: string }) {
  return (
    <main class="missing">
      <h1 class="brand">lincir</h1>
      <p role="alert">{text}</p>
    </main>
  );
}

applyTheme(readTheme());
render(<Main />, document.getElementById('page')!);
void keepOffline(() => undefined);
