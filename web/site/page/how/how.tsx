/** How it works: four steps, each with a figure that the model itself draws, here and now. */

import type { SearchAnswer } from '../../world/protocol.ts';
import type { Question } from '../ask/question.ts';
import type { LiveWorld } from '../use-world.ts';
import { AtSearchTime } from './at-search-time.tsx';
import { Masking, useExample } from './masking.tsx';
import { PhiReads } from './phi-reads.tsx';
import { SharedSpace } from './shared-space.tsx';

export function How({
  world,
  question,
  answer,
}: {
  readonly world: LiveWorld | undefined;
  readonly question: Question | undefined;
  readonly answer: SearchAnswer | undefined;
}) {
  const { example, another } = useExample(world);
  return (
    <section class="section" id="how" aria-labelledby="how-title">
      <header class="intro">
        <h2 id="how-title">How it works</h2>
        <p>
          To train a search like this, one would need many triples of a picture, a change and a result. There
          are few. LinCIR needs none: it learns from sentences alone.
        </p>
      </header>
      <ol class="parts">
        <li class="part card">
          <div>
            <h3>CLIP puts pictures and sentences in one space</h3>
            <p>
              It turns each into a vector, its <em>embedding</em>. A picture and a sentence that says the same
              are near each other. So sentences can find pictures, but a picture cannot be put in a sentence.
              Not yet.
            </p>
          </div>
          <SharedSpace world={world} />
        </li>
        <li class="part card">
          <div>
            <h3>A caption loses its keywords</h3>
            <p>
              Training reads captions. In each, a tagger finds the nouns and adjectives, which carry the
              meaning. One new word, <span class="token">$</span>, takes their place.
            </p>
          </div>
          <Masking example={example} onAnother={another} />
        </li>
        <li class="part card">
          <div>
            <h3>phi learns what the new word must mean</h3>
            <p>
              <em>phi</em> is a small network. It reads the embedding of the whole caption and writes the
              meaning of <span class="token">$</span>. CLIP then reads the masked caption with it. Training
              changes phi, and nothing else, until CLIP reads the same as in the whole caption.
            </p>
          </div>
          <PhiReads world={world} example={example} />
        </li>
        <li class="part card">
          <div>
            <h3>Then a picture takes the caption’s place</h3>
            <p>
              In CLIP’s space the embedding of a picture is as good as that of its caption. So phi turns the
              picture into a word, too, though it has never seen one. Your words follow it, and CLIP reads it
              all as one sentence.
            </p>
          </div>
          <AtSearchTime world={world} question={question} answer={answer} />
        </li>
      </ol>
    </section>
  );
}
