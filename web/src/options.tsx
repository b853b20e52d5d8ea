/** What refines a query beside words and pictures: what not to find, the method and its weights, the score cut, duplicates. */

import { useEffect, useId, useState } from 'preact/hooks';
import { type Method, methods } from '../../src/composition/choices.ts';
import { useApp } from './app.ts';
import { Icon } from './icons.tsx';
import type { Query } from './query.ts';

export function Options() {
  const { index, query, change, results } = useApp();
  const set = (part: Partial<Query>) => change((old) => ({ ...old, ...part }));
  const method: (typeof methods)[Method] | undefined =
    methods[(query.method ?? results.answer?.method ?? 'lincir') as Method];
  const failure = results.failure?.field === 'without' ? results.failure : undefined;
  return (
    <div class="fields">
      <TextField
        label="Without"
        hint="What you do not want to see, such as “people”."
        value={query.without}
        problem={failure?.detail}
        onChange={(without) => set({ without })}
      />
      {query.without !== '' && (
        <Slider
          label="How much of it to take away"
          value={query.withoutWeight ?? 0.5}
          least={0}
          most={2}
          step={0.05}
          onChange={(withoutWeight) =>
            set({ withoutWeight: withoutWeight === 0.5 ? undefined : withoutWeight })
          }
        />
      )}
      <MethodField
        methods={index.methods}
        value={query.method}
        onChange={(name) => set({ method: name, weight: undefined })}
      />
      {query.images.length > 0 && query.text !== '' && method?.weight && (
        <Slider
          label="Weight of the words"
          value={query.weight ?? method.weight.default}
          least={0}
          most={Math.min(3, method.weight.most)}
          step={0.05}
          onChange={(weight) => set({ weight: weight === method.weight?.default ? undefined : weight })}
        />
      )}
      <Slider
        label="Score at least"
        value={query.minScore ?? 0}
        least={0}
        most={1}
        step={0.01}
        nothing="any"
        onChange={(minScore) => set({ minScore: minScore === 0 ? undefined : minScore })}
      />
      <label class="check">
        <input
          type="checkbox"
          checked={query.unique}
          onChange={({ currentTarget }) => set({ unique: currentTarget.checked })}
        />
        Show duplicates once
      </label>
    </div>
  );
}

function MethodField({
  methods: names,
  value,
  onChange,
}: {
  readonly methods: readonly string[];
  readonly value: string | undefined;
  readonly onChange: (name: string | undefined) => void;
}) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>Method</label>
      <select
        id={id}
        value={value ?? ''}
        onChange={({ currentTarget }) => onChange(currentTarget.value || undefined)}
      >
        <option value="">as fits what you give</option>
        {names.map((name) => (
          <option key={name} value={name}>
            {name}
            {name in methods ? `: ${methods[name as Method].description}` : ''}
          </option>
        ))}
      </select>
    </div>
  );
}

/** A text that counts when one leaves the field or presses Enter. */
export function TextField({
  label,
  hint,
  value,
  problem,
  onChange,
}: {
  readonly label: string;
  readonly hint?: string;
  readonly value: string;
  readonly problem?: string | undefined;
  readonly onChange: (value: string) => void;
}) {
  const id = useId();
  const [draft, setDraft] = useState(value);
  useEffect(() => setDraft(value), [value]);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="text"
        maxLength={2000}
        autocomplete="off"
        value={draft}
        aria-invalid={problem !== undefined}
        aria-describedby={`${id}-hint`}
        onInput={({ currentTarget }) => setDraft(currentTarget.value)}
        onChange={() => onChange(draft.trim())}
      />
      <p id={`${id}-hint`} class={problem ? 'problem' : 'note'}>
        {problem ? (
          <>
            <Icon name="warning" /> <bdi>{problem}</bdi>
          </>
        ) : (
          hint
        )}
      </p>
    </div>
  );
}

/** A number by a slider. The search follows when it rests. */
function Slider({
  label,
  value,
  least,
  most,
  step,
  nothing,
  onChange,
}: {
  readonly label: string;
  readonly value: number;
  readonly least: number;
  readonly most: number;
  readonly step: number;
  /** What the least value means, if it means nothing. */
  readonly nothing?: string;
  readonly onChange: (value: number) => void;
}) {
  const id = useId();
  const [draft, setDraft] = useState(value);
  useEffect(() => setDraft(value), [value]);
  const text = draft === least && nothing !== undefined ? nothing : draft.toFixed(2);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <div class="slider">
        <input
          id={id}
          type="range"
          min={least}
          max={most}
          step={step}
          value={draft}
          aria-valuetext={text}
          onInput={({ currentTarget }) => setDraft(currentTarget.valueAsNumber)}
          onChange={({ currentTarget }) => onChange(currentTarget.valueAsNumber)}
        />
        <output for={id}>{text}</output>
      </div>
    </div>
  );
}
