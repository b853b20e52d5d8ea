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
import { type Engine, startEngine, tabBackEnd } from './engine.ts';
import { askAgain, openRemembered } from './folders.ts';
import { Library } from './library.tsx';
import { readSettings } from './settings.ts';
import { Setup } from './setup.tsx';
import { Strip } from './strip.tsx';

let crash: ((message: string) => void) | undefined;
const engine = startEngine((message) => crash?.(message));
connect(tabBackEnd(engine));

function Main() {
  const [state, setState] = useState<State>();
  const [refused, setRefused] = useState<readonly FileSystemDirectoryHandle[]>([]);
  const [problem, setProblem] = useState<string>();
  const [showsLibrary, setShowsLibrary] = useState(false);

  const tell = useCallback((error: unknown) => {
    const { detail, todo } = asFailure(error);
    setProblem([detail, todo].filter(Boolean).join(' '));
  }, []);
  crash = (message) => setProblem(`The page's worker has failed: ${message}. Load the page again.`);

  useEffect(() => engine.watch(setState), []);
  useEffect(() => {
    begin(engine).then(setRefused, tell);
  }, [tell]);

  const use = useCallback(
    (give: () => Promise<unknown>) => {
      setProblem(undefined);
      void navigator.storage?.persist?.().catch(() => undefined);
      give().catch(tell);
    },
    [tell],
  );
  const allow = useCallback(
    (folder: FileSystemDirectoryHandle) =>
      use(async () => {
        if (await askAgain(engine, folder)) setRefused((old) => old.filter((one) => one !== folder));
      }),
    [use],
  );
  const photos = useMemo<Photos | undefined>(
    () => state && { engine, state, refused, use, allow, problem },
    [state, refused, use, allow, problem],
  );
  if (photos === undefined) return problem ? <Trouble text={problem} /> : <main aria-busy="true" />;
  const { server, isElsewhere } = photos.state;
  const hasPictures = (server.indexes[0]?.images ?? 0) > 0 && photos.state.model !== undefined;
  return (
    <PhotosContext.Provider value={photos}>
      {isElsewhere ? (
        <Trouble text="Another tab has your photos open. Close it, or go on there: this page takes over by itself when it is closed." />
      ) : hasPictures ? (
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

/** Opens what is kept, and goes on with the model and the folders of the last visit. Returns folders that need permission. */
async function begin(engine: Engine): Promise<FileSystemDirectoryHandle[]> {
  await engine.call('open', undefined);
  const { model, phi } = await readSettings();
  if (model !== undefined) {
    await engine.call('chooseModel', { kind: 'preset', name: model });
    if (phi !== undefined) await engine.call('choosePhi', { kind: 'preset', name: phi });
  }
  return await openRemembered(engine);
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
