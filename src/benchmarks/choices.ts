/** All benchmarks. A new one is a file in `kinds` and a line here. */

import type { BenchmarkKind } from './benchmark.ts';
import { circo } from './kinds/circo.ts';
import { cirr } from './kinds/cirr.ts';
import { cocoComposition } from './kinds/coco-composition.ts';
import { custom } from './kinds/custom.ts';
import { fashioniq } from './kinds/fashioniq.ts';
import { genecis } from './kinds/genecis.ts';
import { imagenetDomains } from './kinds/imagenet-domains.ts';
import { mini } from './kinds/mini.ts';

export const benchmarkKinds: readonly BenchmarkKind[] = [
  cirr,
  circo,
  fashioniq,
  genecis,
  cocoComposition,
  imagenetDomains,
  custom,
  mini,
];
