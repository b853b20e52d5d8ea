/** Measures of a ranking: recall of one right answer, and average precision of several. */

/** The names of `recalls`, in the order of tables, with `kind` as a prefix: `subset R@1`. */
export function recallNames(cuts: readonly number[], kind = ''): string[] {
  return cuts.map((k) => `${kind}R@${k}`);
}

/** By metric, `R@k` for every k of `cuts`: 1 if `target` is among the first k of `ranked`, else 0. */
export function recalls(
  cuts: readonly number[],
  target: string,
  ranked: readonly string[] | undefined,
  kind = '',
): Record<string, number> {
  const at = ranked?.indexOf(target) ?? -1;
  return Object.fromEntries(cuts.map((k) => [`${kind}R@${k}`, at >= 0 && at < k ? 1 : 0]));
}

/** The names of `averagePrecisions`. */
export function averagePrecisionNames(cuts: readonly number[]): string[] {
  return cuts.map((k) => `mAP@${k}`);
}

/**
 * By metric, `mAP@k` for every k of `cuts`: the sum of the precision at each target among the first k, divided by the
 * largest possible number of these, so that a query with more targets than k can reach 1 (Baldrati et al., ICCV 2023).
 */
export function averagePrecisions(
  cuts: readonly number[],
  targets: readonly string[],
  ranked: readonly string[] = [],
): Record<string, number> {
  const hits = ranked.flatMap((id, at) => (targets.includes(id) ? [at + 1] : []));
  const precision = (k: number): number => {
    const sum = hits.reduce((total, hit, at) => (hit <= k ? total + (at + 1) / hit : total), 0);
    return sum / Math.min(targets.length, k);
  };
  return Object.fromEntries(cuts.map((k) => [`mAP@${k}`, precision(k)]));
}
