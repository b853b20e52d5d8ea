/** How the answers to one question change while phi learns: what was found at which step. A reload keeps it. */

import { useEffect, useRef, useState } from 'preact/hooks';
import type { LearningState, World } from '../../world/protocol.ts';
import type { Question } from '../ask/question.ts';
import { searchFor } from '../ask/use-answer.ts';

export interface Stage {
  readonly step: number;
  /** Pictures of the gallery, best first. */
  readonly hits: readonly number[];
  readonly right: readonly number[];
  /** mAP@10 in percent, over all queries. */
  readonly meanAveragePrecision?: number;
}

export interface Stages {
  /** One of the benchmark's, whose right answers are known. */
  readonly question?: { readonly reference: number; readonly words: string };
  readonly stages: readonly Stage[];
}

/** Steps whose answers stay. Phi learns most at the beginning. */
const milestones = [0, 10, 30, 60, 120, 200, 300] as const;
const storageKey = 'lincir:site:stages';
const shown = 6;

/** Asks at each milestone, and now and then between them. */
export function useStages(
  world: World | undefined,
  state: LearningState | undefined,
  wanted: Question | undefined,
): Stages {
  const [stages, setStages] = useState<Stages>(read);
  const isAsking = useRef(false);
  const step = state?.step ?? 0;
  const isRunning = state?.phase === 'learning' || state?.phase === 'finished';
  useEffect(() => {
    if (world === undefined || !isRunning || isAsking.current) return;
    const last = stages.stages.at(-1);
    const isAnew = last === undefined || step < last.step;
    const question = isAnew ? benchmarkQuestion(world, wanted) : stages.question;
    if (question === undefined || (!isAnew && step < nextStep(last.step))) return;
    isAsking.current = true;
    stageOf(world, question)
      .then((stage) => {
        const earlier = isAnew ? [] : stages.stages.filter((one) => isMilestone(one, stages.stages));
        const next = { question, stages: [...earlier, stage] };
        setStages(next);
        keep(next);
      })
      .catch(() => undefined) // The state of learning says what is wrong.
      .finally(() => {
        isAsking.current = false;
      });
  }, [world, step, isRunning, stages]);
  useEffect(() => {
    if (state?.phase === 'idle' && state.step === 0 && world !== undefined && stages.stages.length > 0) {
      setStages({ stages: [] });
      keep({ stages: [] });
    }
  }, [state?.phase, step, world]);
  return stages;
}

async function stageOf(world: World, question: NonNullable<Stages['question']>): Promise<Stage> {
  const picture = world.pictures[question.reference - 1]!;
  const reference = { kind: 'gallery', picture } as const;
  const answer = await searchFor(world, { reference, words: question.words }, 'learning');
  const hits = answer.rankings.find(({ method }) => method === 'lincir')!.hits.slice(0, shown);
  const { meanAveragePrecision, step } = await world.evaluate('learning');
  return {
    step: answer.step ?? step ?? 0,
    hits: hits.map(({ id }) => id),
    right: hits.filter(({ isRight }) => isRight).map(({ id }) => id),
    meanAveragePrecision,
  };
}

/** The question above if its right answers are known, else the first that has some. */
function benchmarkQuestion({ queries }: World, wanted: Question | undefined): Stages['question'] {
  const id = wanted?.reference.kind === 'gallery' ? wanted.reference.picture.id : undefined;
  const query =
    queries.find(({ reference, text }) => reference === id && text === wanted?.words) ?? queries[0];
  return query && { reference: query.reference, words: query.text };
}

/** Between milestones the newest answer replaces the one before. */
function nextStep(step: number): number {
  const milestone = milestones.find((one) => one > step) ?? Number.POSITIVE_INFINITY;
  return Math.min(milestone, step + 20);
}

function isMilestone(stage: Stage, stages: readonly Stage[]): boolean {
  const before = stages[stages.indexOf(stage) - 1];
  return before === undefined || milestones.some((one) => before.step < one && one <= stage.step);
}

function read(): Stages {
  try {
    return JSON.parse(localStorage.getItem(storageKey) ?? '') as Stages;
  } catch {
    return { stages: [] };
  }
}

function keep(stages: Stages): void {
  try {
    localStorage.setItem(storageKey, JSON.stringify(stages));
  } catch {
    // They are there until the page is left.
  }
}
