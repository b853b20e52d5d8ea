/** A figure: a caption, the keywords that the tagger finds in it, and what is left of it for training. */

import { useCallback, useEffect, useState } from 'preact/hooks';
import { Icon } from '../../../src/icons.tsx';
import type { MaskedExample } from '../../world/protocol.ts';
import { Prompt } from '../prompt.tsx';
import type { LiveWorld } from '../use-world.ts';

export function useExample(world: LiveWorld | undefined) {
  const [example, setExample] = useState<MaskedExample>();
  const another = useCallback(() => void world?.example().then(setExample, () => undefined), [world]);
  useEffect(another, [another]);
  return { example, another };
}

export function Masking({
  example,
  onAnother,
}: {
  readonly example: MaskedExample | undefined;
  readonly onAnother: () => void;
}) {
  return (
    <div class="figure">
      <div class="masking" key={example?.caption} aria-live="polite">
        {example && (
          <>
            <p>
              <Marked {...example} />
            </p>
            <p class="down">becomes</p>
            <p>
              <Prompt text={example.masked} />
            </p>
          </>
        )}
      </div>
      <button type="button" class="quiet" disabled={!example} onClick={onAnother}>
        <Icon name="shuffle" /> Another caption
      </button>
    </div>
  );
}

export function Marked({ caption, keywords }: Pick<MaskedExample, 'caption' | 'keywords'>) {
  const parts = keywords.flatMap(({ start, end }, at) => [
    caption.slice(keywords[at - 1]?.end ?? 0, start),
    <mark key={start}>{caption.slice(start, end)}</mark>,
  ]);
  return (
    <bdi>
      {parts}
      {caption.slice(keywords.at(-1)?.end ?? 0)}
    </bdi>
  );
}
