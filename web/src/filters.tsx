/** Filters by the index's own columns: built from conditions, or written as text. */

import { useEffect, useState } from 'preact/hooks';
import type { ColumnFacts } from '../../src/api/index.ts';
import { useApp } from './app.ts';
import { visible } from './display.ts';
import {
  type Condition,
  type Conditions,
  conditionsOf,
  filterText,
  isWhole,
  needsValue,
  type Operator,
  operatorName,
  operatorsOf,
} from './filter.ts';
import { Icon } from './icons.tsx';
import { ValueField } from './values.tsx';

export function Filters() {
  const { index, query, change, results } = useApp();
  const { columns } = index;
  const known = conditionsOf(query.filter, columns);
  const [isText, setIsText] = useState(known === undefined);
  const [draft, setDraft] = useState<Conditions>(known ?? { join: 'and', conditions: [] });
  const failure = results.failure?.field === 'filter' ? results.failure : undefined;

  // Conditions that lack a value stay on the page; a filter from elsewhere takes the place of all.
  useEffect(() => {
    const next = conditionsOf(query.filter, columns);
    if (next === undefined) setIsText(true);
    else
      setDraft((old) =>
        filterText(whole(old, columns), columns) === filterText(next, columns) ? old : next,
      );
  }, [query.filter, columns]);

  const setFilter = (filter: string) => change((old) => ({ ...old, filter }));
  const set = (next: Conditions) => {
    setDraft(next);
    setFilter(filterText(whole(next, columns), columns));
  };
  const edit = (at: number, part: Partial<Condition>) =>
    set({
      ...draft,
      conditions: draft.conditions.map((one, place) => (place === at ? { ...one, ...part } : one)),
    });
  const add = () => {
    const [column] = [...columns].sort((a, b) => Number(a.name === 'path') - Number(b.name === 'path'));
    if (column) setDraft({ ...draft, conditions: [...draft.conditions, blank(column)] });
  };

  return (
    <div class="filters">
      {isText ? (
        <FilterText value={query.filter} problem={failure?.detail} columns={columns} onChange={setFilter} />
      ) : (
        <>
          {failure && (
            <p class="problem" role="alert">
              <Icon name="warning" /> <bdi>{failure.detail}</bdi>
            </p>
          )}
          {draft.conditions.length === 0 && (
            <p class="note">
              Search only among some images: those of a folder, of a day, with a value of your own.
            </p>
          )}
          <ul>
            {draft.conditions.map((condition, at) => (
              <li key={at}>
                <span class="join" aria-hidden="true">
                  {at === 0 ? '' : draft.join}
                </span>
                <ConditionFields
                  condition={condition}
                  columns={columns}
                  number={at + 1}
                  onEdit={(part) => edit(at, part)}
                />
                <button
                  type="button"
                  class="plain square"
                  aria-label={`Remove condition ${at + 1}`}
                  onClick={() =>
                    set({ ...draft, conditions: draft.conditions.filter((_, place) => place !== at) })
                  }
                >
                  <Icon name="close" />
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
      <div class="line">
        {!isText && (
          <button type="button" class="quiet" onClick={add} disabled={columns.length === 0}>
            <Icon name="plus" /> Add condition
          </button>
        )}
        {!isText && draft.conditions.length > 1 && (
          <label class="inline">
            Images must match
            <select
              value={draft.join}
              onChange={({ currentTarget }) => set({ ...draft, join: currentTarget.value as 'and' | 'or' })}
            >
              <option value="and">all conditions</option>
              <option value="or">any condition</option>
            </select>
          </label>
        )}
        <span class="space" />
        <button
          type="button"
          class="link"
          disabled={isText && known === undefined}
          title={isText && known === undefined ? 'This filter is more than a list of conditions.' : undefined}
          onClick={() => setIsText(!isText)}
        >
          {isText ? 'Choose from lists' : 'Write it as text'}
        </button>
      </div>
    </div>
  );
}

function whole({ join, conditions }: Conditions, columns: readonly ColumnFacts[]): Conditions {
  return {
    join,
    conditions: conditions.filter((one) => {
      const column = columns.find(({ name }) => name === one.column);
      return column && isWhole(one, column);
    }),
  };
}

function blank(column: ColumnFacts): Condition {
  return {
    column: column.name,
    operator: operatorsOf(column)[0]!,
    value: column.type === 'boolean' ? 'true' : '',
  };
}

function ConditionFields({
  condition,
  columns,
  number,
  onEdit,
}: {
  readonly condition: Condition;
  readonly columns: readonly ColumnFacts[];
  readonly number: number;
  readonly onEdit: (part: Partial<Condition>) => void;
}) {
  const column = columns.find(({ name }) => name === condition.column);
  if (column === undefined) return null;
  return (
    <>
      <select
        aria-label={`Column of condition ${number}`}
        value={condition.column}
        onChange={({ currentTarget }) => {
          const next = columns.find(({ name }) => name === currentTarget.value);
          if (next) onEdit(blank(next));
        }}
      >
        {columns.map(({ name }) => (
          <option key={name} value={name}>
            {visible(name)}
          </option>
        ))}
      </select>
      <select
        aria-label={`Comparison of condition ${number}`}
        value={condition.operator}
        onChange={({ currentTarget }) => onEdit({ operator: currentTarget.value as Operator })}
      >
        {operatorsOf(column).map((operator) => (
          <option key={operator} value={operator}>
            {operatorName(operator, column)}
          </option>
        ))}
      </select>
      {needsValue(condition.operator) ? (
        <ValueField
          key={condition.column}
          column={column}
          label={`Value of condition ${number}`}
          value={condition.value}
          onChange={(value) => onEdit({ value })}
        />
      ) : (
        <span class="space" />
      )}
    </>
  );
}

function FilterText({
  value,
  problem,
  columns,
  onChange,
}: {
  readonly value: string;
  readonly problem: string | undefined;
  readonly columns: readonly ColumnFacts[];
  readonly onChange: (filter: string) => void;
}) {
  const [draft, setDraft] = useState(value);
  useEffect(() => setDraft(value), [value]);
  return (
    <div class="field">
      <label for="filter-text">Filter</label>
      <textarea
        id="filter-text"
        class="code"
        rows={2}
        spellcheck={false}
        autocapitalize="off"
        maxLength={4000}
        value={draft}
        aria-invalid={problem !== undefined}
        aria-describedby="filter-hint"
        onInput={({ currentTarget }) => setDraft(currentTarget.value)}
        onChange={() => onChange(draft.trim())}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
            event.preventDefault();
            onChange(draft.trim());
          }
        }}
      />
      <p id="filter-hint" class={problem ? 'problem' : 'note'}>
        {problem ? (
          <>
            <Icon name="warning" /> <bdi>{problem}</bdi>
          </>
        ) : (
          <>
            Such as <code>taken &gt; '2024-05-01' and not path ilike '%.png'</code>. Columns:{' '}
            {columns.map(({ name }) => visible(name)).join(', ')}.
          </>
        )}
      </p>
    </div>
  );
}
