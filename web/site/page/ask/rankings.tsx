/** The answers of four methods to the same question, one above the other, with the right ones marked. */

import { Icon } from '../../../src/icons.tsx';
import type { Ranking, SearchAnswer, ShownMethod, World } from '../../world/protocol.ts';
import { describe } from '../describe.ts';
import { Drawing } from '../drawing/drawing.tsx';
import { isRight, type Suggestion } from './question.ts';

export const shownHits = 10;

const methods: Readonly<Record<ShownMethod, { readonly name: string; readonly how: string }>> = {
  lincir: { name: 'LinCIR', how: 'The picture becomes a word of the sentence.' },
  sum: { name: 'Sum', how: 'Picture and words are added.' },
  image: { name: 'Image only', how: 'The words are ignored.' },
  text: { name: 'Text only', how: 'The picture is ignored.' },
};
/** LinCIR first, then what comes closest to it. */
const order = ['lincir', 'sum', 'image', 'text'] as const satisfies readonly ShownMethod[];

export function Rankings({
  world,
  answer,
  suggestion,
  isOld,
  onUse,
}: {
  readonly world: World | undefined;
  readonly answer: SearchAnswer | undefined;
  readonly suggestion: Suggestion | undefined;
  readonly isOld: boolean;
  readonly onUse: (id: number) => void;
}) {
  return (
    <div class={`rankings${isOld ? ' old' : ''}`} aria-busy={isOld}>
      {order.map((method) => (
        <MethodRanking
          key={method}
          method={method}
          world={world}
          ranking={answer?.rankings.find((ranking) => ranking.method === method)}
          isAnswered={answer !== undefined}
          suggestion={suggestion}
          onUse={onUse}
        />
      ))}
    </div>
  );
}

function MethodRanking({
  method,
  world,
  ranking,
  isAnswered,
  suggestion,
  onUse,
}: {
  readonly method: ShownMethod;
  readonly world: World | undefined;
  readonly ranking: Ranking | undefined;
  readonly isAnswered: boolean;
  readonly suggestion: Suggestion | undefined;
  readonly onUse: (id: number) => void;
}) {
  const { name, how } = methods[method];
  const hits = world && ranking ? ranking.hits.slice(0, shownHits) : [];
  const marks = hits.map((hit) => isRight(hit, suggestion, world!));
  return (
    <section class={`ranking ${method}`} aria-labelledby={`ranking-${method}`}>
      <header>
        <h2 id={`ranking-${method}`}>{name}</h2>
        <p>{how}</p>
        <Found marks={marks} isMissing={isAnswered && ranking === undefined} />
      </header>
      <ol class="hits">
        {Array.from({ length: shownHits }, (_, at) => {
          const hit = hits[at];
          if (hit === undefined) return <li key={at} class="hit empty" />;
          const { scene, variant } = world!.pictures[hit.id - 1]!;
          return (
            <li key={at} class={`hit${marks[at] ? ' right' : ''}`}>
              <button
                type="button"
                aria-label={`${at + 1}${marks[at] ? ', a right answer' : ''}: ${describe(scene)}. Search with this picture`}
                title={`${describe(scene)}. Click to search with it.`}
                onClick={() => onUse(hit.id)}
              >
                <Drawing scene={scene} variant={variant} alt="" />
              </button>
              {marks[at] && (
                <span class="mark">
                  <Icon name="tick" />
                </span>
              )}
            </li>
          );
        })}
      </ol>
    </section>
  );
}

/** How many right answers there are among those that are shown. */
function Found({
  marks,
  isMissing,
}: {
  readonly marks: readonly (boolean | undefined)[];
  readonly isMissing: boolean;
}) {
  if (isMissing) return <p class="found none">This needs words.</p>;
  if (marks.length === 0 || marks.includes(undefined)) return null;
  const ranks = marks.flatMap((isRight, at) => (isRight ? [at + 1] : []));
  if (ranks.length === 0) return <p class="found none">Nothing right among ten</p>;
  return <p class="found">{ranks[0] === 1 ? 'Right at once' : `First right answer: ${ranks[0]}`}</p>;
}
