/** In place of `node:assert/strict`, for tests that run in pages: the few of its functions that they call. */

function ok(value: unknown, message?: string): asserts value {
  if (!value) throw new Error(message ?? `${value} instead of something true`);
}

function deepEqual(found: unknown, expected: unknown, message?: string): void {
  const [a, b] = [JSON.stringify(found), JSON.stringify(expected)];
  ok(a === b, `${message ?? 'not equal'}: ${a} instead of ${b}`);
}

export default { ok, deepEqual, equal: deepEqual };
