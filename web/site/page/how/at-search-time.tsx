/** A figure: the question from above, on its way from a picture to a ranking. */

import type { SearchAnswer, World } from '../../world/protocol.ts';
import { ReferencePicture } from '../ask/ask.tsx';
import type { Question } from '../ask/question.ts';
import { Drawing } from '../drawing/drawing.tsx';
import { Prompt } from '../prompt.tsx';

const shown = 5;

export function AtSearchTime({
  world,
  question,
  answer,
}: {
  readonly world: World | undefined;
  readonly question: Question | undefined;
  readonly answer: SearchAnswer | undefined;
}) {
  const ranking = answer?.rankings.find(({ method }) => method === 'lincir');
  return (
    <div class="figure">
      <ol class="flow">
        <li>
          <span class="what">Your picture</span>
          <ReferencePicture reference={question?.reference} />
        </li>
        <li>
          <span class="what">CLIP and phi make it a word</span>
          <span>
            <span class="token">$</span>
          </span>
        </li>
        <li>
          <span class="what">CLIP reads</span>
          <Prompt text={ranking?.prompt ?? '$'} />
        </li>
        <li>
          <span class="what">The nearest pictures</span>
          <span class="answers">
            {ranking?.hits.slice(0, shown).map(({ id }) => (
              <Drawing key={id} {...world!.pictures[id - 1]!} />
            ))}
          </span>
        </li>
      </ol>
    </div>
  );
}
