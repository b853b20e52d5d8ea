/** Answers to a question as it changes: one search at a time, and the newest question wins. */

import { useEffect, useRef, useState } from 'preact/hooks';
import type { PhiChoice, SearchAnswer, World } from '../../world/protocol.ts';
import { asked, type Question } from './question.ts';

export interface Answered {
  readonly answer?: SearchAnswer;
  /** The question that `answer` is for. */
  readonly question?: Question;
  readonly failure?: Error;
}

export function useAnswer(
  world: World | undefined,
  question: Question | undefined,
  phi: PhiChoice,
  /** A new turn asks the same again. */
  turn: number,
): Answered {
  const [answered, setAnswered] = useState<Answered>({});
  const queue = useRef<{ isBusy: boolean; next?: () => Promise<void> }>({ isBusy: false });
  useEffect(() => {
    if (world === undefined || question === undefined) return;
    let isCurrent = true;
    const search = async () => {
      if (!isCurrent) return;
      try {
        const answer = await searchFor(world, question, phi);
        if (isCurrent) setAnswered({ answer, question });
      } catch (error) {
        if (isCurrent) setAnswered((old) => ({ ...old, failure: error as Error }));
      }
    };
    queue.current.next = search;
    void drain(queue.current);
    return () => {
      isCurrent = false;
    };
  }, [world, question, phi, turn]);
  return answered;
}

export async function searchFor(
  world: World,
  { reference, words }: Question,
  phi: PhiChoice,
): Promise<SearchAnswer> {
  const text = asked(words);
  return await world.search({
    ...(reference.kind === 'gallery' ? { reference: reference.picture.id } : { reference: reference.pixels }),
    ...(text !== '' && { words: text }),
    phi,
    top: 10,
  });
}

async function drain(queue: { isBusy: boolean; next?: () => Promise<void> }): Promise<void> {
  if (queue.isBusy) return;
  queue.isBusy = true;
  for (let { next } = queue; next !== undefined; { next } = queue) {
    delete queue.next;
    await next();
  }
  queue.isBusy = false;
}
