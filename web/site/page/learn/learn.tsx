/** Learning in this tab: begin, stop, go on; the loss, the speed, and the same question's answers as they get better. */

import { Icon } from '../../../src/icons.tsx';
import type { LearningState, World } from '../../world/protocol.ts';
import type { Question } from '../ask/question.ts';
import { Drawing } from '../drawing/drawing.tsx';
import { Marked } from '../how/masking.tsx';
import { count, duration } from '../numbers.ts';
import { useLearning } from '../use-world.ts';
import { Bars } from './bars.tsx';
import { Curve } from './curve.tsx';
import type { Stage } from './milestones.ts';
import { useStages } from './stages.ts';

const steps = 300;
const isMeasured = (stage: Stage) => stage.meanAveragePrecision !== undefined;

export function Learn({
  world,
  question,
}: {
  readonly world: World | undefined;
  readonly question: Question | undefined;
}) {
  const state = useLearning(world);
  const { question: asked, stages } = useStages(world, state, question);
  return (
    <section class="section" id="learn" aria-labelledby="learn-title">
      <header class="intro">
        <h2 id="learn-title">Watch it learn, in this tab</h2>
        <p>
          Press the button, and a new phi learns from {count((state?.steps ?? steps) * (state?.batch ?? 256))}{' '}
          captions. It never sees a picture. This is the code of the command line, and what you see is real.
        </p>
      </header>
      <div class="card learning">
        <div>
          <Controls world={world} state={state} />
          <Figures state={state} />
          <Curve losses={state?.losses ?? []} steps={state?.steps ?? steps} />
          <Bars mine={stages.findLast(isMeasured)?.meanAveragePrecision} figures={world?.figures} />
        </div>
        <div>
          <h3>The same question, while it learns</h3>
          <Answers world={world} state={state} asked={asked} stages={stages} />
          <h3>What it reads</h3>
          <ul class="examples">
            {state?.examples.slice(0, 3).map((example) => (
              <li key={example.caption}>
                <Marked {...example} />
              </li>
            ))}
            {!state?.examples.length && <li>Captions with their keywords masked, 256 at each step.</li>}
          </ul>
        </div>
      </div>
    </section>
  );
}

function Controls({
  world,
  state,
}: {
  readonly world: World | undefined;
  readonly state: LearningState | undefined;
}) {
  const { phase = 'idle', step = 0, preparing } = state ?? {};
  const isBusy = phase === 'learning' || phase === 'preparing' || phase === 'stopping';
  // A failure comes with the state.
  const start = () => void world?.learn.start().catch(() => undefined);
  return (
    <div>
      <div class="controls">
        {isBusy ? (
          <button
            type="button"
            class="strong"
            aria-disabled={phase !== 'learning'}
            onClick={() => phase === 'learning' && void world?.learn.stop()}
          >
            Stop
          </button>
        ) : (
          phase !== 'finished' && (
            <button type="button" class="strong" disabled={!world} onClick={start}>
              {phase === 'failed' ? 'Try again' : step > 0 ? 'Go on' : 'Learn'}
            </button>
          )
        )}
        {!isBusy && step > 0 && (
          <button type="button" class="quiet" onClick={() => void world?.learn.forget()}>
            <Icon name="undo" /> Start over
          </button>
        )}
        <span class="muted" role="status">
          {phase === 'preparing' && preparing && preparations[preparing.what]}
          {phase === 'stopping' && 'Stopping after this step …'}
          {phase === 'finished' && 'Done. It has learnt all it can from this recipe.'}
          {phase === 'idle' && step > 0 && `It stands at step ${step}, and goes on from there.`}
        </span>
      </div>
      {phase === 'failed' && (
        <p class="problem" role="alert">
          {state?.error?.message} What was learnt until the last stop is not lost.
        </p>
      )}
      {state && !state.isStored && step > 0 && (
        <p class="note">What it learns is lost when you leave: {state.storageProblem}</p>
      )}
    </div>
  );
}

const preparations = {
  engine: 'Starting the engine …',
  captions: 'Writing captions and masking them …',
  graphs: 'Building the training graph …',
} as const;

function Figures({ state }: { readonly state: LearningState | undefined }) {
  return (
    <dl class="figures">
      <div>
        <dt>Step</dt>
        <dd>
          {state?.step ?? 0} <small>of {state?.steps ?? steps}</small>
        </dd>
      </div>
      <div>
        <dt>Captions per second</dt>
        <dd>{state?.captionsPerSecond === undefined ? '–' : count(state.captionsPerSecond)}</dd>
      </div>
      <div>
        <dt>Time left</dt>
        <dd>
          {state?.secondsLeft === undefined || state.phase !== 'learning' ? '–' : duration(state.secondsLeft)}
        </dd>
      </div>
    </dl>
  );
}

function Answers({
  world,
  state,
  asked,
  stages,
}: {
  readonly world: World | undefined;
  readonly state: LearningState | undefined;
  readonly asked: { readonly reference: number; readonly words: string } | undefined;
  readonly stages: readonly Stage[];
}) {
  const picture = asked && world?.pictures[asked.reference - 1];
  const isDone = state?.phase === 'finished';
  return (
    <div class="stages">
      <div class="asked">
        {picture ? <Drawing {...picture} /> : <span class="drawing" />}
        <p>{asked && <>… that {asked.words}</>}</p>
      </div>
      {(stages.length > 0 && world ? stages : [undefined]).map((stage, at) => (
        <div
          key={stage?.step ?? at}
          class={`moment${stage && at === stages.length - 1 && !isDone ? ' now' : ''}`}
        >
          <span class="at">
            Step {stage?.step ?? 0}
            <br />
            {stage && `${stage.right.length || 'none'} right`}
          </span>
          <ol class="hits">
            {(stage?.hits ?? Array.from({ length: 6 }, () => undefined)).map((id, place) => (
              <Found key={`${place} ${id}`} world={world} id={id} isRight={stage?.right.includes(id!)} />
            ))}
          </ol>
        </div>
      ))}
    </div>
  );
}

function Found({
  world,
  id,
  isRight = false,
}: {
  readonly world: World | undefined;
  readonly id: number | undefined;
  readonly isRight: boolean | undefined;
}) {
  const picture = id === undefined ? undefined : world?.pictures[id - 1];
  if (picture === undefined) return <li class="hit empty" />;
  return (
    <li class={`hit${isRight ? ' right' : ''}`}>
      <Drawing {...picture} />
      {isRight && (
        <span class="mark">
          <Icon name="tick" />
          <span class="hidden">right</span>
        </span>
      )}
    </li>
  );
}
