/** A figure: a caption's way through CLIP and phi and back, as the embeddings that they make of it. */

import { useEffect, useState } from 'preact/hooks';
import type { MaskedExample, PhiChoice, Reading } from '../../world/protocol.ts';
import { type LiveWorld, useLearning } from '../use-world.ts';
import { Strip } from './strip.tsx';

type Which = PhiChoice | 'untrained';
const names: Readonly<Record<Which, string>> = {
  untrained: 'Before training',
  ready: 'After training',
  learning: 'Yours, below',
};
/** As many numbers as a strip shows well. */
const shown = 48;

export function PhiReads({
  world,
  example,
}: {
  readonly world: LiveWorld | undefined;
  readonly example: MaskedExample | undefined;
}) {
  const [which, setWhich] = useState<Which>('untrained');
  const [reading, setReading] = useState<Reading>();
  const hasLearned = (useLearning(world)?.step ?? 0) > 0;
  useEffect(() => {
    if (world === undefined || example === undefined) return;
    let isCurrent = true;
    world.read(example, which).then(
      (read) => isCurrent && setReading(read),
      () => undefined, // The search above says what is wrong.
    );
    return () => {
      isCurrent = false;
    };
  }, [world, example, which]);
  const choices: readonly Which[] = ['untrained', 'ready', ...(hasLearned ? (['learning'] as const) : [])];
  return (
    <div class="figure">
      <div class="choice" role="group" aria-label="Which phi">
        {choices.map((choice) => (
          <button
            key={choice}
            type="button"
            class="quiet"
            aria-pressed={choice === which}
            onClick={() => setWhich(choice)}
          >
            {names[choice]}
          </button>
        ))}
      </div>
      <ol class="flow">
        <li>
          <span class="what">CLIP reads the caption</span>
          <Strip values={reading?.caption.subarray(0, shown)} />
        </li>
        <li>
          <span class="what">
            phi makes it a word, <span class="token">$</span>
          </span>
          <Strip values={reading?.token.subarray(0, shown / 2)} />
        </li>
        <li>
          <span class="what">CLIP reads the masked caption with it</span>
          <Strip values={reading?.masked.subarray(0, shown)} />
        </li>
      </ol>
      <Verdict reading={reading} />
    </div>
  );
}

function Verdict({ reading }: { readonly reading: Reading | undefined }) {
  if (reading === undefined) return <p class="verdict">&nbsp;</p>;
  const cosine = reading.caption.reduce((sum, value, at) => sum + value * reading.masked[at]!, 0);
  const shownCosine = cosine.toFixed(2).replace('-', '−');
  return (
    <p class="verdict" aria-live="polite">
      First and last strip agree to{' '}
      {cosine > 0.8 ? (
        <>
          <strong>{shownCosine}</strong>, where 1 is the same: the word says what was taken away.
        </>
      ) : (
        <>
          <span class="far">{shownCosine}</span>, where 1 is the same: the word says little of what was taken
          away.
        </>
      )}
    </p>
  );
}
