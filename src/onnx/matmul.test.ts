/** Products without Gemm give what those with it give. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { relativeError } from '../../test/array64.ts';
import { evaluate } from '../../test/float64.ts';
import { differentiated, run } from '../../test/graph-checks.ts';
import { operatorCases } from '../../test/operator-cases.ts';
import { withoutGemm } from './matmul.ts';
import { dependencies } from './model.ts';

test('transposed or not, scaled, with a bias and in gradients', async () => {
  for (const build of operatorCases.Gemm) {
    const { given, outputs } = differentiated(build);
    const products = withoutGemm(outputs);
    const operators = dependencies(Object.values(products)).nodes.map(({ operator }) => operator);
    assert.ok(operators.includes('MatMul') && !operators.includes('Gemm'));
    const expected = evaluate(outputs, given);
    for (const [name, { shape, data }] of Object.entries(await run(products, given))) {
      assert.deepEqual(shape, expected[name]!.shape);
      assert.ok(relativeError(data, expected[name]!.data) < 1e-5, `${build}: ${name}`);
    }
  }
});
