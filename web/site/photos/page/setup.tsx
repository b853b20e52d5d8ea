/** The first visit: what the page is, what it promises, and the two choices that it needs. */

import { ThemeButton } from '../../shell/theme-button.tsx';
import { usePhotos } from './context.ts';
import { FolderStep } from './folder-step.tsx';
import { ModelStep } from './model-step.tsx';
import { PhiStep } from './phi-step.tsx';
import { Privacy } from './privacy.tsx';
import { Notes, Progress } from './strip.tsx';

export function Setup() {
  const { state } = usePhotos();
  return (
    <div class="setup">
      <header class="head">
        <a class="brand" href="./" aria-label="lincir: the miniature world">
          lincir
        </a>
        <span class="space" />
        <ThemeButton />
      </header>
      <main>
        <h1>Find your own photos with a picture and a few words</h1>
        <p class="lead">
          Choose a model and a folder. The page looks at every photo once, here on your machine. Then you
          search: with a photo, with words, or with a photo and what should be different.
        </p>
        <Privacy />
        <ol class="steps">
          <li>
            <h2>The model that looks at your photos</h2>
            <ModelStep />
            {state.model && <PhiStep />}
          </li>
          <li>
            <h2>Your photos</h2>
            <FolderStep />
          </li>
        </ol>
        <Progress />
        <Notes />
      </main>
    </div>
  );
}
