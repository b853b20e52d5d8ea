/** The page of the miniature world begins here. */

import { render } from 'preact';
import '../../src/styles/base.css';
import { applyTheme, readTheme } from '../../src/theme.ts';
import { keepOffline } from '../shell/offline.ts';

function Main() {
  return (
    <main>
      <h1>Find images with an image and a few words</h1>
    </main>
  );
}

applyTheme(readTheme());
render(<Main />, document.getElementById('page')!);
void keepOffline(() => undefined);
