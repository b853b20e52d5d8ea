/** The page's head: its name, which index, undo and redo, earlier searches, light or dark, help. */

import { useApp } from './app.ts';
import { visible } from './display.ts';
import { Icon } from './icons.tsx';
import { emptyQuery } from './query.ts';
import { useTheme } from './use-theme.ts';

export function Header({
  onOpen,
  onLibrary,
}: {
  readonly onOpen: (dialog: 'past' | 'help' | 'indexing') => void;
  readonly onLibrary: (() => void) | undefined;
}) {
  const { server, index, route, change, query } = useApp();
  const theme = useTheme();
  return (
    <header class="head">
      <a
        class="brand"
        href="./"
        aria-label="lincir: begin anew"
        onClick={(event) => {
          if (event.ctrlKey || event.metaKey || event.shiftKey) return;
          event.preventDefault();
          change(() => ({ ...emptyQuery, index: query.index }));
        }}
      >
        lincir
      </a>
      {server.indexes.length > 1 && (
        <select
          aria-label="Index"
          value={index.name}
          onChange={({ currentTarget }) =>
            // Ids and columns belong to their index; words do not.
            change(({ text, without }) => ({ ...emptyQuery, text, without, index: currentTarget.value }))
          }
        >
          {server.indexes.map(({ name }) => (
            <option key={name} value={name}>
              {visible(name)}
            </option>
          ))}
        </select>
      )}
      <span class="space" />
      <div class="tools">
        <Tool icon="undo" name="Undo" title="Undo (Ctrl Z)" onClick={route.undo} />
        <Tool icon="redo" name="Redo" title="Redo (Ctrl Shift Z)" onClick={route.redo} />
        {server.allows.indexing && (
          <Tool icon="folder" name="Index folders" onClick={() => onOpen('indexing')} />
        )}
        {onLibrary && <Tool icon="folder" name="Photos and model" onClick={onLibrary} />}
        <Tool icon="clock" name="Earlier searches" onClick={() => onOpen('past')} />
        <Tool icon={theme.theme} name={theme.name} title={theme.title} onClick={theme.change} />
        <Tool icon="help" name="Help" title="Help (?)" onClick={() => onOpen('help')} />
      </div>
    </header>
  );
}

function Tool({
  icon,
  name,
  title = name,
  onClick,
}: {
  readonly icon: Parameters<typeof Icon>[0]['name'];
  readonly name: string;
  readonly title?: string;
  readonly onClick: (() => void) | undefined;
}) {
  return (
    <button
      type="button"
      class="plain square"
      aria-label={name}
      title={title}
      // The focus stays where it is when there is no more to undo.
      aria-disabled={onClick === undefined}
      onClick={() => onClick?.()}
    >
      <Icon name={icon} />
    </button>
  );
}
