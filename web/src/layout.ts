/** Rows of pictures that fill the width, each picture whole and in its own proportions. */

export interface Cell {
  /** Its place in the results, from 0. */
  readonly at: number;
  readonly left: number;
  readonly width: number;
}

export interface Row {
  readonly cells: readonly Cell[];
  /** Of the pictures, without their captions. */
  readonly height: number;
}

/** Panoramas and towers are shown within bounds, whole. */
const narrowest = 0.5;
const widest = 2.6;

/**
 * Fills rows of `width` with pictures about `height` tall. Proportions are width by height. More pictures change the last
 * row at most.
 */
export function justify(
  proportions: readonly number[],
  { width, height, gap }: { readonly width: number; readonly height: number; readonly gap: number },
): Row[] {
  const rows: Row[] = [];
  let start = 0;
  let sum = 0;
  for (let at = 0; at < proportions.length; at++) {
    sum += bounded(proportions[at]!);
    const count = at - start + 1;
    const filled = (width - gap * (count - 1)) / sum;
    const isLast = at === proportions.length - 1;
    if (filled > height && !isLast) continue;
    // The last row is not blown up: few pictures stay as tall as the others.
    const tall = Math.min(filled, height * (isLast ? 1 : 1.35));
    let left = 0;
    const cells: Cell[] = [];
    for (let index = start; index <= at; index++) {
      const wide = tall * bounded(proportions[index]!);
      cells.push({ at: index, left, width: wide });
      left += wide + gap;
    }
    rows.push({ cells, height: Math.round(tall) });
    start = at + 1;
    sum = 0;
  }
  return rows;
}

function bounded(proportion: number): number {
  return Math.min(widest, Math.max(narrowest, proportion));
}

/** The picture that an arrow key leads to. Up and down keep to the column. */
export function neighbour(rows: readonly Row[], at: number, key: string): number | undefined {
  const total = rows.at(-1)?.cells.at(-1)?.at ?? -1;
  if (key === 'ArrowLeft') return at > 0 ? at - 1 : undefined;
  if (key === 'ArrowRight') return at < total ? at + 1 : undefined;
  const row = rowOf(rows, at);
  const next = rows[row + (key === 'ArrowUp' ? -1 : 1)];
  const cell = rows[row]?.cells.find((one) => one.at === at);
  if (next === undefined || cell === undefined) return undefined;
  const middle = cell.left + cell.width / 2;
  const distance = ({ left, width }: Cell) => Math.abs(left + width / 2 - middle);
  return next.cells.reduce((best, one) => (distance(one) < distance(best) ? one : best)).at;
}

/** The row that a picture is in, by halving. */
export function rowOf(rows: readonly Row[], at: number): number {
  let low = 0;
  let high = rows.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle]!.cells.at(-1)!.at < at) low = middle + 1;
    else high = middle;
  }
  return low;
}
