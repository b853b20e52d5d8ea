/** The first thing on the page: a search that works at once, with a picture and a few words. */

import type { ComponentChildren } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { Icon } from '../../../src/icons.tsx';
import type { World } from '../../world/protocol.ts';
import { Drawing } from '../drawing/drawing.tsx';
import { Loading } from '../loading.tsx';
import { Prompt } from '../prompt.tsx';
import type { WorldView } from '../use-world.ts';
import { Builder } from './builder.tsx';
import { ByHand } from './by-hand.tsx';
import {
  asked,
  keyOf,
  type Question,
  questions,
  type Reference,
  sceneOf,
  suggestionsFor,
} from './question.ts';
import { Rankings } from './rankings.tsx';
import type { Answered } from './use-answer.ts';

const pause = 250;

export function Ask({
  view,
  question,
  answered: { answer, question: answered, failure },
  onQuestion,
  children,
}: {
  readonly view: WorldView;
  readonly question: Question | undefined;
  readonly answered: Answered;
  readonly onQuestion: (question: Question) => void;
  /** Between the question and its answers. */
  readonly children?: ComponentChildren;
}) {
  const { world } = view;
  const suggestions = useSuggestions(world, question?.reference);
  const suggestion = suggestions.find(({ words }) => words === asked(answered?.words ?? ''));
  return (
    <section class="section ask" id="search" aria-labelledby="title">
      <h1 id="title">Search with a picture and a few words</h1>
      <p class="lead">
        Show a picture and say what should be different. lincir finds the pictures that match both. Try it on
        4,000 drawings: everything runs in this tab, and nothing leaves it.
      </p>
      <div class="card">
        <QuestionForm
          view={view}
          question={question}
          words={suggestions.map(({ words }) => words)}
          prompt={answer?.rankings.find(({ method }) => method === 'lincir')?.prompt}
          onQuestion={onQuestion}
        />
        {children}
        <Rankings
          world={world}
          answer={answer}
          suggestion={suggestion}
          isOld={answered !== question}
          onUse={(id) => {
            const picture = world!.pictures[id - 1]!;
            onQuestion({ reference: { kind: 'gallery', picture }, words: question!.words });
          }}
        />
        <div class="key-line" role="status">
          {failure && view.failure === undefined ? (
            <p class="problem">{failure.message}</p>
          ) : (
            answer && (
              <Remark
                isMarked={answer.query !== undefined || suggestion?.isRight !== undefined}
                hasWords={asked(answered?.words ?? '') !== ''}
              />
            )
          )}
        </div>
      </div>
    </section>
  );
}

function Remark({ isMarked, hasWords }: { readonly isMarked: boolean; readonly hasWords: boolean }) {
  return (
    <>
      {isMarked ? (
        <p>
          A green tick marks a right answer: a drawing with exactly the change that you asked for, and no
          other. The first eight questions are ones that LinCIR answers well. After them, questions come by
          chance.
        </p>
      ) : (
        <p>
          {hasWords
            ? 'These are words of your own, so nobody has marked right answers. Judge for yourself.'
            : 'Without words, there is no change to find, so no answer is marked as right.'}
        </p>
      )}
      <p>Click any drawing to search with it.</p>
    </>
  );
}

function QuestionForm({
  view,
  question,
  words,
  prompt,
  onQuestion,
}: {
  readonly view: WorldView;
  readonly question: Question | undefined;
  readonly words: readonly string[];
  readonly prompt: string | undefined;
  readonly onQuestion: (question: Question) => void;
}) {
  const { world } = view;
  const [typed, setTyped] = useState('');
  const [dialog, setDialog] = useState<'build' | 'draw'>();
  useEffect(() => setTyped(question?.words ?? ''), [question]);
  // What is typed is asked after a pause.
  useEffect(() => {
    if (question === undefined || typed === question.words) return;
    const timer = setTimeout(() => onQuestion({ ...question, words: typed }), pause);
    return () => clearTimeout(timer);
  }, [typed, question]);
  const use = (reference: Reference) => {
    setDialog(undefined);
    onQuestion({ reference, words: question?.words ?? '' });
  };
  const isReady = view.isReady && question !== undefined;
  return (
    <form
      class="question"
      onSubmit={(event) => {
        event.preventDefault();
        if (question) onQuestion({ ...question, words: typed });
      }}
    >
      <div class="reference">
        <ReferencePicture reference={question?.reference} />
        <div class="reference-buttons">
          <button
            type="button"
            class="quiet"
            disabled={!isReady}
            onClick={() => world && onQuestion(questions.next(world))}
          >
            <Icon name="shuffle" /> Another
          </button>
          <button type="button" class="quiet" disabled={!isReady} onClick={() => setDialog('build')}>
            <Icon name="options" /> Build
          </button>
          <button type="button" class="quiet" disabled={!isReady} onClick={() => setDialog('draw')}>
            <Icon name="pencil" /> Draw
          </button>
        </div>
      </div>
      <div class="sentence">
        <label for="words">I want a picture like this one that …</label>
        <div class="words">
          <input
            id="words"
            type="text"
            value={typed}
            maxLength={200}
            autocomplete="off"
            spellcheck={false}
            enterkeyhint="search"
            placeholder="is at sunset"
            disabled={!isReady}
            onInput={({ currentTarget }) => setTyped(currentTarget.value)}
          />
          <button type="submit" class="go" aria-label="Search" disabled={!isReady}>
            <Icon name="search" />
          </button>
        </div>
        {isReady ? (
          <div class="suggestions" role="group" aria-label="Words that fit this picture">
            {words.map((one) => (
              <button
                key={one}
                type="button"
                class="quiet"
                aria-pressed={one === question.words}
                onClick={() => onQuestion({ ...question, words: one })}
              >
                {one}
              </button>
            ))}
          </div>
        ) : (
          <Loading view={view} />
        )}
        <p class="reads">
          {prompt !== undefined && (
            <>
              CLIP reads: <Prompt text={prompt} />
            </>
          )}
        </p>
      </div>
      {dialog === 'build' && (
        <Builder
          scene={question && sceneOf(question.reference)}
          onUse={use}
          onClose={() => setDialog(undefined)}
        />
      )}
      {dialog === 'draw' && <ByHand onUse={use} onClose={() => setDialog(undefined)} />}
    </form>
  );
}

export function ReferencePicture({ reference }: { readonly reference: Reference | undefined }) {
  if (reference === undefined) return <span class="drawing" />;
  if (reference.kind === 'drawn')
    return <img class="drawing" src={reference.address} alt="Your own drawing" />;
  if (reference.kind === 'built') return <Drawing scene={reference.scene} />;
  return <Drawing {...reference.picture} />;
}

function useSuggestions(world: World | undefined, reference: Reference | undefined) {
  const key = reference && keyOf(reference);
  return useMemo(() => (world && reference ? suggestionsFor(reference, world) : []), [world, key]);
}
