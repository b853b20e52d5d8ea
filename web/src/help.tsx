/** How to search, and every key. */

import { Dialog } from './dialog.tsx';

const keys: readonly (readonly [string, readonly (readonly [string, string])[]])[] = [
  [
    'Anywhere',
    [
      ['/', 'write words'],
      ['Ctrl Z', 'undo the last change of the query'],
      ['Ctrl Shift Z', 'redo it'],
      ['Ctrl V', 'paste a picture'],
      ['?', 'this help'],
    ],
  ],
  [
    'In the results',
    [
      ['← → ↑ ↓', 'go from picture to picture'],
      ['Enter', 'show it large'],
      ['U', 'use it as reference'],
      ['A', 'add it to the query'],
      ['M', 'more like this'],
      ['N', 'not this'],
      ['O', 'open the original'],
      ['C', 'copy its path'],
      ['F', 'show only its folder'],
    ],
  ],
  [
    'Large',
    [
      ['← →', 'the one before, the next'],
      ['+ −', 'zoom'],
      ['0', 'all of it'],
      ['I', 'facts'],
      ['Escape', 'back'],
    ],
  ],
];

export function Help({
  hasKeys,
  onKeys,
  onClose,
}: {
  /** Whether keys without Ctrl do something anywhere on the page. */
  readonly hasKeys: boolean;
  readonly onKeys: (has: boolean) => void;
  readonly onClose: () => void;
}) {
  return (
    <Dialog title="How to search" onClose={onClose}>
      <div class="help">
        <p>
          Give a picture, say what should be different: <q>but at sunset</q>, <q>is swimming</q>,{' '}
          <q>with a hat</q>. Or write a whole sentence in which <code>$1</code> is your picture:{' '}
          <q>$1, pencil sketch</q>.
        </p>
        <p>
          With several pictures, name each: <q>the dog of $1 on the beach of $2</q>. Click a picture in the
          query to put its name into the words. A real dollar sign is <code>\$</code>.
        </p>
        <p>
          <q>More like this</q> and <q>Not this</q> move the whole search a little towards a result, or away
          from it.
        </p>
        {keys.map(([place, list]) => (
          <section key={place}>
            <h3>{place}</h3>
            <dl class="keys">
              {list.map(([key, meaning]) => (
                <div key={key}>
                  <dt>
                    {key.split(' ').map((one) => (
                      <kbd key={one}>{one}</kbd>
                    ))}
                  </dt>
                  <dd>{meaning}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
        <label class="check">
          <input
            type="checkbox"
            checked={hasKeys}
            onChange={({ currentTarget }) => onKeys(currentTarget.checked)}
          />
          Use the keys <kbd>/</kbd> and <kbd>?</kbd> anywhere on the page
        </label>
      </div>
    </Dialog>
  );
}
