/** The loss as it falls: each step thin, their running mean thick. */

const width = 420;
const height = 200;
const left = 34;
const bottom = 24;

export function Curve({ losses, steps }: { readonly losses: readonly number[]; readonly steps: number }) {
  const top = Math.max(0.1, ...losses.slice(0, 5));
  const x = (step: number) => left + ((width - left - 8) * step) / steps;
  const y = (loss: number) => 8 + (height - bottom - 8) * (1 - Math.min(1, loss / top));
  const path = (values: readonly number[]) =>
    values.map((loss, at) => `${at === 0 ? 'M' : 'L'}${x(at + 1).toFixed(1)} ${y(loss).toFixed(1)}`).join('');
  const means = smoothed(losses);
  const last = means.at(-1);
  const said = last === undefined ? 'no steps yet' : `${last.toFixed(3)} after ${losses.length} steps`;
  return (
    <svg class="curve" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={`Loss: ${said}`}>
      <path class="axis" d={`M${left} 8V${height - bottom}H${width - 8}`} fill="none" />
      <text x={left - 6} y={16} text-anchor="end">
        {losses.length > 0 && top.toFixed(1)}
      </text>
      <text x={left - 6} y={height - bottom + 3} text-anchor="end">
        0
      </text>
      <text x={width - 8} y={height - 6} text-anchor="end">
        {steps} steps
      </text>
      <text x={width - 8} y={20} text-anchor="end">
        Loss
      </text>
      <path class="raw" d={path(losses)} />
      <path class="smooth" d={path(means)} />
      {last !== undefined && <circle class="now" cx={x(losses.length)} cy={y(last)} r={4.5} />}
    </svg>
  );
}

/** A running mean, without the pull to the start that such a mean has (Kingma and Ba, 2015, section 3). */
function smoothed(losses: readonly number[], keep = 0.8): number[] {
  let mean = 0;
  return losses.map((loss, at) => {
    mean = keep * mean + (1 - keep) * loss;
    return mean / (1 - keep ** (at + 1));
  });
}
