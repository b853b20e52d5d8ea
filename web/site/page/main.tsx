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
import { Ask, anotherQuestion } from './ask/ask.tsx';
import type { Question } from './ask/question.ts';
import { useAnswer } from './ask/use-answer.ts';
import { Foot } from './foot.tsx';
import { Head } from './head.tsx';
import { How } from './how/how.tsx';
import { Learn } from './learn/learn.tsx';
import { Onward } from './onward.tsx';
import { useWorld } from './use-world.ts';

function Page() {
  const view = useWorld();
  const { world } = view;
  const [question, setQuestion] = useState<Question>();
  const answered = useAnswer(world, question, 'ready');
  const [site, setSite] = useState<OfflineSite>();
  useEffect(() => {
    if (world && !question) setQuestion(anotherQuestion(world, 0));
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
        <Ask view={view} question={question} answered={answered} onQuestion={setQuestion} />
        <How world={world} question={question} answer={answered.answer} />
        <Learn world={world} question={question} />
        <Onward />
      </main>
      <Foot view={view} site={site} />
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

applyTheme(readTheme());
render(<Page />, document.getElementById('page')!);
