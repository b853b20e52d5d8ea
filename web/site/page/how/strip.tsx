/** The first numbers of an embedding as a strip of colours: blue below zero, orange above it. */

export function Strip({ values }: { readonly values: Float32Array | undefined }) {
  const numbers = values ?? new Float32Array(48);
  const most = numbers.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-9);
  return (
    <svg
      class="strip"
      viewBox={`0 0 ${numbers.length} 1`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`${numbers.length} numbers of it, as colours`}
    >
      <rect width={numbers.length} height={1} fill="var(--mat)" />
      {Array.from(numbers, (value, at) => (
        <rect
          key={at}
          x={at}
          width={1.02}
          height={1}
          fill={value < 0 ? 'var(--below)' : 'var(--above)'}
          fill-opacity={(Math.abs(value) / most) ** 0.8}
        />
      ))}
    </svg>
  );
}
