/** How good phi is by now, beside the ready one and what needs no training. */

import type { World } from '../../world/protocol.ts';

/** The ready phi, and what learns nothing: the site's build has measured them on the same pictures. */
const measured = [
  { name: 'The ready phi', method: 'lincir' },
  { name: 'Sum', method: 'sum' },
  { name: 'Image only', method: 'image' },
  { name: 'Text only', method: 'text' },
] as const;

export function Bars({
  mine,
  figures,
}: {
  readonly mine: number | undefined;
  readonly figures: World['figures'];
}) {
  return (
    <div>
      <h3>Quality, on 600 questions</h3>
      <p class="note">Mean average precision among the first ten (mAP@10), in percent.</p>
      <ul class="bars">
        <Bar name="Your phi, now" value={mine} isMine />
        {measured.map(({ name, method }) => (
          <Bar key={method} name={name} value={figures?.[method]} />
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
