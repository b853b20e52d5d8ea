/** Numbers as people read them. */

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

export function count(number: number): string {
  return Math.round(number).toLocaleString('en');
}

/** `2 min 10 s`, without false precision. */
export function duration(seconds: number): string {
  if (seconds >= 600) return `${Math.ceil(seconds / 60)} min`;
  const rounded = seconds < 20 ? Math.ceil(seconds) : Math.ceil(seconds / 5) * 5;
  const minutes = Math.floor(rounded / 60);
  return minutes === 0 ? `${rounded} s` : `${minutes} min ${rounded % 60} s`;
}
