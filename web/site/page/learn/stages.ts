/** How the answers to one question change while phi learns: what was found at which step. A reload keeps it. */

import { useEffect, useRef, useState } from 'preact/hooks';
import type { LearningState, World } from '../../world/protocol.ts';
import type { Question } from '../ask/question.ts';
import { searchFor } from '../ask/use-answer.ts';
import { isMilestone, keptStages, nextStep, readStages, type Stage, type Stages } from './milestones.ts';

const storageKey = 'lincir:site:stages';
const shown = 6;

/** Asks at each milestone, and now and then between them. */
export function useStages(
  world: World | undefined,
  state: LearningState | undefined,
  wanted: Question | undefined,
): Stages {
  const [all, setStages] = useState<Stages>(() => readStages(stored()));
  const isAsking = useRef(false);
  const { step = 0, phase = 'idle' } = state ?? {};
  // A closed tab may have seen more steps than it kept.
  const stages = { ...all, stages: all.stages.filter((stage) => stage.step <= step) };
  const isRunning = phase === 'learning' || phase === 'finished';
  useEffect(() => {
    keep(all);
  }, [all]);
  useEffect(() => {
    if (world === undefined || !isRunning || isAsking.current) return;
    const last = stages.stages.at(-1);
    const isAnew = last === undefined;
    const question = isAnew ? benchmarkQuestion(world, wanted) : stages.question;
    const isDue = isAnew || step >= nextStep(last.step) || (phase === 'finished' && step > last.step);
    if (question === undefined || !isDue) return;
    isAsking.current = true;
    const earlier = isAnew ? [] : keptStages(stages.stages);
    const show = (stage: Stage) => setStages({ question, stages: [...earlier, stage] });
    // At first there is nothing to measure, and the step that is next would have to wait for it.
    const isWorth = (at: number) => (!isAnew && isMilestone(at, earlier.at(-1))) || phase === 'finished';
    ask(world, question, show, isWorth)
      .catch(() => undefined) // The state of learning says what is wrong.
      .finally(() => {
        isAsking.current = false;
      });
  }, [world, step, phase, isRunning, all]);
  const stepBefore = useRef(0);
  useEffect(() => {
    // After a reload it is 0 for a moment, until what was learnt is there.
    if (step === 0 && stepBefore.current > 0) setStages({ stages: [] });
    stepBefore.current = step;
  }, [step]);
  const asked = stages.question ?? (world && benchmarkQuestion(world, wanted));
  return { stages: stages.stages, ...(asked && { question: asked }) };
}

/** Shows the answers as soon as they are there, and then, at milestones, the figure for all questions, which takes longer. */
async function ask(
  world: World,
  { reference, words }: NonNullable<Stages['question']>,
  show: (stage: Stage) => void,
  isWorthMeasuring: (step: number) => boolean,
): Promise<void> {
  const picture = world.pictures[reference - 1]!;
  const answer = await searchFor(world, { reference: { kind: 'gallery', picture }, words }, 'learning');
  const hits = answer.rankings.find(({ method }) => method === 'lincir')!.hits.slice(0, shown);
  const stage: Stage = {
    step: answer.step ?? 0,
    hits: hits.map(({ id }) => id),
    right: hits.filter(({ isRight }) => isRight).map(({ id }) => id),
  };
  show(stage);
  if (!isWorthMeasuring(stage.step)) return;
  const { meanAveragePrecision } = await world.evaluate('learning');
  show({ ...stage, meanAveragePrecision });
}

/** The question above if its right answers are known, else the first that has some. */
function benchmarkQuestion({ queries }: World, wanted: Question | undefined): Stages['question'] {
  const id = wanted?.reference.kind === 'gallery' ? wanted.reference.picture.id : undefined;
  const query =
    queries.find(({ reference, text }) => reference === id && text === wanted?.words) ?? queries[0];
  return query && { reference: query.reference, words: query.text };
}

function stored(): string | null {
  try {
    return localStorage.getItem(storageKey);
  } catch {
    return null;
  }
}

function keep(stages: Stages): void {
  try {
    localStorage.setItem(storageKey, JSON.stringify(stages));
  } catch {
    // They are there until the page is left.
  }
}
