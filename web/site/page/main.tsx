/** The page of the miniature world begins here. */

import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import '../../src/styles/base.css';
import '../../src/styles/dialogs.css';
import './styles/site.css';
import './styles/ask.css';
import './styles/how.css';
import './styles/learn.css';
import { applyTheme, readTheme } from '../../src/theme.ts';
import { keepOffline, type OfflineSite } from '../shell/offline.ts';
import type { PhiChoice } from '../world/protocol.ts';
import { Ask } from './ask/ask.tsx';
import { type Question, questions } from './ask/question.ts';
import { useAnswer } from './ask/use-answer.ts';
import { Foot } from './foot.tsx';
import { Head } from './head.tsx';
import { How } from './how/how.tsx';
import { Learn } from './learn/learn.tsx';
import { Onward } from './onward.tsx';
import { useParts } from './use-parts.ts';
import { Opening, useLearning, useWorld } from './use-world.ts';

function Page({ opening }: { readonly opening: Opening }) {
  const parts = useParts(4);
  const view = useWorld(opening);
  const { world } = view;
  const [question, setQuestion] = useState<Question>();
  const learned = useLearning(world)?.step ?? 0;
  const [wantsOwn, setWantsOwn] = useState(false);
  const phi = wantsOwn && learned > 0 ? 'learning' : 'ready';
  // Answers of a phi that learns get old.
  const answered = useAnswer(world, question, phi, phi === 'ready' ? 0 : Math.floor(learned / 20));
  const [site, setSite] = useState<OfflineSite>();
  useEffect(() => {
    if (world && !question) setQuestion(questions.next(world));
  }, [world, question]);
  // What the first answer needs comes first. Then the browser's cache has most of what is stored.
  const isAnswered = answered.answer !== undefined;
  useEffect(() => {
    if (isAnswered) void keepOffline(setSite);
  }, [isAnswered]);
  return (
    <>
      <Head />
      <main>
        <Ask view={view} question={question} answered={answered} onQuestion={setQuestion}>
          {learned > 0 && <WhichPhi phi={phi} learned={learned} onChoose={setWantsOwn} />}
        </Ask>
        {/* Its figures ask questions, too, which come after the first one. */}
        {parts > 1 && (
          <How world={isAnswered ? world : undefined} question={question} answer={answered.answer} />
        )}
        {parts > 2 && <Learn world={world} question={question} />}
        {parts > 3 && <Onward />}
      </main>
      {parts > 3 && <Foot view={view} site={site} />}
      {site?.update && (
        <div class="update" role="status">
          A new version of this page is here.
          <button type="button" class="strong" onClick={site.update}>
            Load it
          </button>
        </div>
      )}
    </>
  );
}

function WhichPhi({
  phi,
  learned,
  onChoose,
}: {
  readonly phi: PhiChoice;
  readonly learned: number;
  readonly onChoose: (isOwn: boolean) => void;
}) {
  return (
    <div class="choice" role="group" aria-label="Which phi answers">
      <button type="button" class="quiet" aria-pressed={phi === 'ready'} onClick={() => onChoose(false)}>
        The ready phi
      </button>
      <button type="button" class="quiet" aria-pressed={phi === 'learning'} onClick={() => onChoose(true)}>
        Yours, at step {learned}
      </button>
    </div>
  );
}

// Before anything is drawn: its download takes longest.
const opening = new Opening();
applyTheme(readTheme());
const root = document.getElementById('page')!;
root.replaceChildren(); // what stands there for those whose browser runs none of this
render(<Page opening={opening} />, root);
