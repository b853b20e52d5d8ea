/** Halves: float16 as bits, rounded to the nearest, ties to even (IEEE 754). */
// Arrow's own conversion makes 0.0625 of 0.124999, and NaN or infinity of some numbers near 0.

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The exponent's bits of 2^-14, the least normal half, and of 2^16, which no half has any more. */
const leastNormal = 0x38_80_00_00;
const tooLarge = 0x47_80_00_00;

/** A number of float32 as the bits of a half. */
export function halfOf(value: number): number {
  float[0] = value;
  const sign = (bits[0]! >>> 16) & 0x80_00;
  const size = bits[0]! & 0x7f_ff_ff_ff;
  if (Number.isNaN(value)) return sign | 0x7e_00;
  if (size >= tooLarge) return sign | 0x7c_00;
  if (size < leastNormal) {
    // Between 0.5 and 1, float32 has steps of 2^-24, as halves have below 2^-14.
    float[0] = Math.abs(value) + 0.5;
    return sign | (bits[0]! - 0x3f_00_00_00);
  }
  const rounded = size + 0xf_ff + ((size >>> 13) & 1);
  return sign | ((rounded - 0x38_00_00_00) >>> 13);
}

/** The number that a half's bits stand for: 1 of sign, 5 of exponent, 10 of fraction. */
export function valueOfHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) {
    return fraction === 0 ? sign * Infinity : NaN;
  }
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}
