/** How good phi is by now, beside the ready one and what needs no training. */

/** mAP@10 in percent of methods that learn nothing: bench/results/mini-study.json. */
const untrained = [
  { name: 'Text only', value: 1.2 },
  { name: 'Image only', value: 23.6 },
  { name: 'Sum', value: 61.6 },
] as const;
/** The mean over three phis of the command line, from the same place. */
const commandLine = 71.0;

export function Bars({ mine }: { readonly mine: number | undefined }) {
  return (
    <div>
      <h3>Quality, on 600 questions</h3>
      <p class="note">Mean average precision among the first ten (mAP@10), in percent.</p>
      <ul class="bars">
        <Bar name="Your phi, now" value={mine} isMine />
        <Bar name="Command line" value={commandLine} />
        {untrained.toReversed().map(({ name, value }) => (
          <Bar key={name} name={name} value={value} />
        ))}
      </ul>
    </div>
  );
}

function Bar({
  name,
  value,
  isMine = false,
}: {
  readonly name: string;
  readonly value: number | undefined;
  readonly isMine?: boolean;
}) {
  return (
    <li class={isMine ? 'mine' : ''}>
      <span>{name}</span>
      <span class="measure" aria-hidden="true">
        <span style={{ transform: `scaleX(${(value ?? 0) / 100})` }} />
      </span>
      <span class="value">{value === undefined ? '–' : value.toFixed(1)}</span>
    </li>
  );
}
