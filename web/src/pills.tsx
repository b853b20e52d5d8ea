/** What refines the query now, each part with a button that takes it away. */

import type { ComponentChildren } from 'preact';
import { useApp } from './app.ts';
import { Chips } from './chips.tsx';
import { visible } from './display.ts';
import { conditionsOf, filterText, needsValue, operatorName } from './filter.ts';
import { Icon } from './icons.tsx';
import type { Query } from './query.ts';

export function Pills({ onOpen }: { readonly onOpen: (panel: 'filters' | 'options') => void }) {
  const { query, change, index } = useApp();
  const set = (part: Partial<Query>) => change((old) => ({ ...old, ...part }));
  const known = conditionsOf(query.filter, index.columns);
  const options = () => onOpen('options');
  const filters = () => onOpen('filters');
  return (
    <>
      <Chips list="more" />
      <Chips list="less" />
      {query.without && (
        <Pill
          name={`Without ${query.without}`}
          onOpen={options}
          onRemove={() => set({ without: '', withoutWeight: undefined })}
        >
          without <bdi>{visible(query.without)}</bdi>
        </Pill>
      )}
      {query.filter && known === undefined && (
        <Pill name="Filter" onOpen={filters} onRemove={() => set({ filter: '' })}>
          <bdi>{visible(query.filter)}</bdi>
        </Pill>
      )}
      {known?.conditions.map(({ column, operator, value }, at) => {
        const facts = index.columns.find(({ name }) => name === column)!;
        const words = `${column} ${operatorName(operator, facts)}${needsValue(operator) ? ` ${value || '“”'}` : ''}`;
        const rest = { ...known, conditions: known.conditions.filter((_, place) => place !== at) };
        return (
          <Pill
            key={words}
            name={`Filter ${visible(words)}`}
            onOpen={filters}
            onRemove={() => set({ filter: filterText(rest, index.columns) })}
          >
            {at > 0 && <span class="muted">{known.join} </span>}
            <bdi>{visible(words)}</bdi>
          </Pill>
        );
      })}
      {query.minScore !== undefined && (
        <Pill name="Score" onOpen={options} onRemove={() => set({ minScore: undefined })}>
          score ≥ {query.minScore.toFixed(2)}
        </Pill>
      )}
      {query.unique && (
        <Pill name="Duplicates once" onOpen={options} onRemove={() => set({ unique: false })}>
          duplicates once
        </Pill>
      )}
      {query.method && (
        <Pill name="Method" onOpen={options} onRemove={() => set({ method: undefined, weight: undefined })}>
          method {visible(query.method)}
          {query.weight !== undefined && ` ${query.weight}`}
        </Pill>
      )}
    </>
  );
}

function Pill({
  name,
  onOpen,
  onRemove,
  children,
}: {
  readonly name: string;
  readonly onOpen: () => void;
  readonly onRemove: () => void;
  readonly children: ComponentChildren;
}) {
  return (
    <span class="pill">
      <button type="button" onClick={onOpen} aria-label={`Change: ${visible(name)}`}>
        {children}
      </button>
      <button type="button" class="small square" aria-label={`Remove: ${visible(name)}`} onClick={onRemove}>
        <Icon name="close" />
      </button>
    </span>
  );
}
