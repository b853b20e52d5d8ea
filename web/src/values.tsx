/** The value of a condition, with what the column really has as suggestions. */

import { useEffect, useId, useRef, useState } from 'preact/hooks';
import type { ColumnFacts, ValuesAnswer } from '../../src/api/index.ts';
import { useApp } from './app.ts';
import { api } from './back-end.ts';
import { visible } from './display.ts';
import { isDate } from './filter.ts';

interface ValueProps {
  readonly column: ColumnFacts;
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

export function ValueField(props: ValueProps) {
  if (props.column.type === 'boolean') return <BooleanField {...props} />;
  if (isDate(props.column)) return <PlainField {...props} type="date" />;
  return <SuggestedField {...props} />;
}

function BooleanField({ label, value, onChange }: ValueProps) {
  return (
    <select aria-label={label} value={value} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
      <option value="true">true</option>
      <option value="false">false</option>
    </select>
  );
}

function PlainField({ label, value, onChange, type }: ValueProps & { readonly type: 'date' }) {
  return (
    <input
      type={type}
      aria-label={label}
      value={value.slice(0, 10)}
      onChange={({ currentTarget }) => onChange(currentTarget.value)}
    />
  );
}

/** A combobox (WAI-ARIA's editable one with a list): one may also write what the list lacks. */
function SuggestedField({ column, label, value, onChange }: ValueProps) {
  const { index } = useApp();
  const id = useId();
  const [draft, setDraft] = useState(value);
  const [isOpen, setIsOpen] = useState(false);
  const [at, setAt] = useState(-1);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => setDraft(value), [value]);
  const isNumber = column.type === 'number';
  const answer = useValues(index.name, column.name, isNumber ? '' : draft === value ? '' : draft, isOpen);
  const values = (answer?.values ?? []).filter((one) => one.value !== null && one.value !== '');

  const choose = (text: string) => {
    setDraft(text);
    setIsOpen(false);
    setAt(-1);
    if (text !== value) onChange(text);
  };

  return (
    <div class="combobox">
      <input
        ref={input}
        type="text"
        inputMode={isNumber ? 'decimal' : 'text'}
        role="combobox"
        aria-label={label}
        aria-autocomplete="list"
        aria-expanded={isOpen && values.length > 0}
        aria-controls={`${id}-list`}
        aria-activedescendant={at >= 0 ? `${id}-${at}` : undefined}
        autocomplete="off"
        value={draft}
        placeholder={range(answer)}
        onFocus={() => setIsOpen(true)}
        onInput={({ currentTarget }) => {
          setDraft(currentTarget.value);
          setIsOpen(true);
          setAt(-1);
        }}
        onBlur={() => choose(draft)}
        onKeyDown={(event) => {
          if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
            event.preventDefault();
            setIsOpen(true);
            const step = event.key === 'ArrowDown' ? 1 : -1;
            setAt((old) => (values.length === 0 ? -1 : (old + step + values.length) % values.length));
          } else if (event.key === 'Enter') {
            event.preventDefault();
            choose(at >= 0 ? `${values[at]!.value}` : draft);
          } else if (event.key === 'Escape' && isOpen) {
            event.stopPropagation();
            setIsOpen(false);
          }
        }}
      />
      <ul
        id={`${id}-list`}
        role="listbox"
        aria-label={`Values of ${visible(column.name)}`}
        hidden={!isOpen || values.length === 0}
      >
        {values.map(({ value: one, count }, place) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the field has the keys
          <li
            key={`${one}`}
            id={`${id}-${place}`}
            role="option"
            aria-selected={place === at}
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => choose(`${one}`)}
          >
            <bdi>{visible(`${one}`)}</bdi>
            <span class="muted">{count.toLocaleString('en')}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

function range(answer: ValuesAnswer | undefined): string {
  const { least, greatest } = answer ?? {};
  return least !== undefined && least !== null && greatest !== undefined ? `${least} to ${greatest}` : '';
}

function useValues(
  index: string,
  column: string,
  prefix: string,
  isWanted: boolean,
): ValuesAnswer | undefined {
  const [answer, setAnswer] = useState<ValuesAnswer>();
  useEffect(() => {
    if (!isWanted) return;
    const controller = new AbortController();
    const timer = setTimeout(
      () => {
        api
          .values(index, column, { prefix, limit: 12 }, { signal: controller.signal })
          .then(setAnswer, () => undefined); // only suggestions
      },
      prefix === '' ? 0 : 120,
    );
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [index, column, prefix, isWanted]);
  return answer;
}
