/** The query bar: pictures as chips, words, and what happens when one gives more of them. */

import { useEffect, useRef, useState } from 'preact/hooks';
import { useApp } from './app.ts';
import { Chips, PendingChips } from './chips.tsx';
import { Icon } from './icons.tsx';
import { unnamedImages, withNames } from './query.ts';

export function Composer({
  words,
  setWords,
}: {
  readonly words: string;
  readonly setWords: (words: string) => void;
}) {
  const { query, change, pictures, results, server } = useApp();
  const field = useRef<HTMLTextAreaElement>(null);
  const form = useRef<HTMLFormElement>(null);
  const isDraft = words.trim() !== query.text.trim();
  const draft = { ...query, text: words };
  const unnamed = unnamedImages(draft);

  const insert = (name: string) => {
    const { selectionStart: start, selectionEnd: end, value } = field.current!;
    const before = value.slice(0, start).replace(/(\S)$/, '$1 ');
    const after = value.slice(end).replace(/^(\S)/, ' $1');
    setWords(before + name + after);
    const caret = before.length + name.length;
    requestAnimationFrame(() => {
      field.current!.focus();
      field.current!.setSelectionRange(caret, caret);
    });
  };
  const give = (files: FileList | null) => files && pictures.give([...files], 'images');
  // What was wrong with words that have changed since is no longer true.
  const failure = results.failure?.field === 'words' && !isDraft ? results.failure : undefined;

  return (
    <div class="composer">
      <form
        ref={form}
        onSubmit={(event) => {
          event.preventDefault();
          change((old) => old);
          field.current!.blur();
        }}
      >
        <div class="box">
          <Chips list="images" onInsert={insert} />
          <PendingChips list="images" />
          <div class="write">
            <div class="words">
              <label class="hidden" for="words">
                Words: what to find, or what should be different from the picture
              </label>
              <textarea
                id="words"
                ref={field}
                rows={1}
                maxLength={2000}
                autocomplete="off"
                spellcheck={false}
                enterkeyhint="search"
                placeholder={placeholder(query.images.length)}
                value={words}
                aria-invalid={failure !== undefined}
                aria-describedby={failure || unnamed.length > 0 ? 'words-hint' : undefined}
                onInput={(event) => setWords(event.currentTarget.value.replaceAll('\n', ' '))}
                onKeyDown={(event) => {
                  if (event.key === 'Enter' && !event.isComposing) {
                    event.preventDefault();
                    form.current!.requestSubmit();
                  } else if (
                    event.key === 'Backspace' &&
                    words === '' &&
                    query.images.length > 0 &&
                    !event.repeat
                  ) {
                    document.querySelector<HTMLElement>('.box .chips li:last-child .remove')?.focus();
                  }
                }}
              />
            </div>
            <PictureButtons onGive={give} />
            <button
              type="submit"
              class={`go${isDraft ? ' draft' : ''}`}
              aria-label="Search"
              title="Search (Enter)"
            >
              <Icon name="search" />
            </button>
          </div>
        </div>
      </form>
      <div id="words-hint" class="hint">
        {unnamed.length > 0 ? (
          <p>
            With several pictures, say which is which.{' '}
            <button type="button" class="link" onClick={() => setWords(withNames(draft))}>
              Write “{withNames(draft)}”
            </button>
          </p>
        ) : failure ? (
          <p class="problem" role="alert">
            <Icon name="warning" /> <bdi>{failure.detail}</bdi>
          </p>
        ) : query.images.length === 1 && words === '' ? (
          <p class="ideas">
            <span class="muted">Such as</span>
            {(server.demo ? drawingIdeas : photoIdeas).map((idea) => (
              <button
                key={idea}
                type="button"
                class="link"
                onClick={() => change((old) => ({ ...old, text: idea }))}
              >
                {idea}
              </button>
            ))}
          </p>
        ) : null}
      </div>
    </div>
  );
}

/** For people who see this for the first time. */
const photoIdeas = ['but at night', 'in the snow', 'as a pencil drawing'];
const drawingIdeas = ['but at sunset', 'with a red heart', 'two of them'];

function placeholder(images: number): string {
  if (images === 0) return 'Describe it, or drop a picture';
  if (images === 1) return 'What should change?';
  return '“the dog of $1 on the beach of $2”';
}

const pictureFiles = 'image/*,.heic,.heif,.avif,.jxl,.jp2,.dng,.cr2,.cr3,.nef,.arw,.orf,.rw2,.raf';

function PictureButtons({ onGive }: { readonly onGive: OnGive }) {
  const [hasCamera, setHasCamera] = useState(false);
  // Phones and tablets take a photo; elsewhere the button would only choose files, too.
  useEffect(() => setHasCamera(matchMedia('(pointer: coarse)').matches), []);
  return (
    <>
      <FileButton
        input={{ multiple: true, accept: pictureFiles, 'aria-label': 'Pictures' }}
        label="Add pictures"
        title="Add pictures: choose, paste, or drop them anywhere"
        icon="picture"
        onGive={onGive}
      />
      {hasCamera && (
        <FileButton
          input={{ accept: 'image/*', capture: 'environment', 'aria-label': 'Photo' }}
          label="Take a photo"
          icon="camera"
          onGive={onGive}
        />
      )}
    </>
  );
}

type OnGive = (files: FileList | null) => void;

/** A button in place of the browser's own field for files. */
function FileButton({
  input,
  label,
  title,
  icon,
  onGive,
}: {
  readonly input: {
    readonly multiple?: boolean;
    readonly accept: string;
    readonly capture?: 'environment';
    readonly 'aria-label': string;
  };
  readonly label: string;
  readonly title?: string;
  readonly icon: 'picture' | 'camera';
  readonly onGive: OnGive;
}) {
  const field = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={field}
        type="file"
        hidden
        {...input}
        onChange={(event) => {
          onGive(event.currentTarget.files);
          event.currentTarget.value = ''; // so that the same file can be given again
        }}
      />
      <button
        type="button"
        class="plain square"
        aria-label={label}
        title={title}
        onClick={() => field.current!.click()}
      >
        <Icon name={icon} />
      </button>
    </>
  );
}
