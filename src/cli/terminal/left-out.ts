/** Reports files that look like images and are not taken, in one line: `left out: 12 .psd, 3 .xcf`. */

import { formatCount } from '../../core/index.ts';
import type { LeftOut } from '../../pictures/index.ts';
import type { Context } from '../context.ts';

export function tellLeftOut(leftOut: LeftOut, reporter: Context['reporter']): void {
  const endings = Object.entries(leftOut).sort(([a, few], [b, many]) => many - few || (a < b ? -1 : 1));
  if (endings.length === 0) return;
  const counted = endings.map(([ending, count]) => `${formatCount(count)} .${ending}`).join(', ');
  reporter.note(`left out, as images of other kinds or films: ${counted}`);
}
