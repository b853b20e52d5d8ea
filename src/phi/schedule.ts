/** Learning rates over a run: warm-up, then a schedule known from other libraries. */

export const schedules = ['constant', 'linear', 'cosine', 'cosine-restarts', 'polynomial'] as const;
export type Schedule = (typeof schedules)[number];

interface ScheduleOptions {
  readonly schedule: Schedule;
  /** The highest rate, reached at the end of warm-up. */
  readonly learningRate: number;
  /** Steps in which the rate rises linearly from 0. */
  readonly warmup: number;
  /** Steps of the whole run. */
  readonly steps: number;
  /** Of 'cosine-restarts': how often the rate falls to 0. */
  readonly cycles: number;
  /** Of 'polynomial': the exponent. */
  readonly power: number;
}

/** What 'polynomial' ends at. */
const lowestRate = 1e-7;

/** The learning rate of a step, counted from 1, as in transformers' and diffusers' schedules of these names. */
export function learningRateAt(step: number, options: ScheduleOptions): number {
  const { learningRate, warmup, steps } = options;
  const done = step - 1;
  if (done < warmup) return (learningRate * done) / warmup;
  const progress = steps > warmup ? (done - warmup) / (steps - warmup) : 0;
  return decayed(Math.min(1, progress), options);
}

function decayed(progress: number, { schedule, learningRate, cycles, power }: ScheduleOptions): number {
  const cosine = (part: number): number => 0.5 * learningRate * (1 + Math.cos(Math.PI * part));
  switch (schedule) {
    case 'constant':
      return learningRate;
    case 'linear':
      return learningRate * (1 - progress);
    case 'cosine':
      return cosine(progress);
    case 'cosine-restarts':
      return progress >= 1 ? 0 : cosine((cycles * progress) % 1);
    case 'polynomial':
      return (learningRate - lowestRate) * (1 - progress) ** power + lowestRate;
  }
}
