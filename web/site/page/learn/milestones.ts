/** Which answers stay while phi learns, and what was kept of them by an earlier visit. */

import { z } from 'zod/mini';

const stage = z.object({
  step: z.number(),
  /** Pictures of the gallery, best first. */
  hits: z.array(z.number()),
  right: z.array(z.number()),
  /** mAP@10 in percent, over all queries. */
  meanAveragePrecision: z.optional(z.number()),
});
const stages = z.object({
  /** One of the benchmark's, whose right answers are known. */
  question: z.optional(z.object({ reference: z.number(), words: z.string() })),
  stages: z.array(stage),
});

export type Stage = z.infer<typeof stage>;
export type Stages = z.infer<typeof stages>;

/** Steps whose answers stay. Phi learns most at the beginning. */
const milestones = [0, 10, 30, 60, 120, 200, 300] as const;
const stepsBetween = 20;

/** The step from which on to ask again: between milestones the newest answer replaces the one before. */
export function nextStep(step: number): number {
  const milestone = milestones.find((one) => one > step) ?? Number.POSITIVE_INFINITY;
  return Math.min(milestone, step + stepsBetween);
}

/** Whether a step is the first at or after a milestone. */
export function isMilestone(step: number, before: Stage | undefined): boolean {
  return before === undefined || milestones.some((one) => before.step < one && one <= step);
}

/** Those that stay when a new one comes. */
export function keptStages(all: readonly Stage[]): Stage[] {
  return all.filter(({ step }, at) => isMilestone(step, all[at - 1]));
}

/** What an earlier visit stored, if it is of use. */
export function readStages(text: string | null): Stages {
  try {
    return stages.parse(JSON.parse(text ?? ''));
  } catch {
    return { stages: [] };
  }
}
