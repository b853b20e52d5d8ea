/** Formats counts, rates, sizes and durations for people. */

/** `1,234` */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}

/** `1 picture`, `2 pictures`; `unit` is the plural. */
export function formatCounted(count: number, unit: string): string {
  const one = unit.replace(/ies$/, 'y').replace(/s$/, '');
  return `${formatCount(count)} ${count === 1 ? one : unit}`;
}

/** `14.2 pictures/s` */
export function formatRate(perSecond: number, unit: string): string {
  return `${formatCount(perSecond < 100 ? Math.round(perSecond * 10) / 10 : Math.round(perSecond))} ${unit}/s`;
}

/** `1.7 GB`, in powers of 1000 as the hub shows sizes. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const exponent = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const value = bytes / 1000 ** exponent;
  return `${value.toFixed(exponent > 0 && value < 10 ? 1 : 0)} ${units[exponent]}`;
}

/** `17 ms`, `1.8 s`, `87 s`, `12 min`, `3 h 5 min`. */
export function formatDuration(seconds: number): string {
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 119.5) return `${seconds < 9.95 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
