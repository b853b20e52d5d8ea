/** What `--help` says after the options of eval, score, submit, compare and mini. */

import type { BenchmarkKind } from '../../benchmarks/index.ts';
import { methodLines } from '../options.ts';
import { benchmarkKinds } from './kinds.ts';

export const evaluateNotes = `
Benchmarks, each in its official layout (docs/evaluation.md):
${benchmarkKinds.map(described).join('\n')}

Methods:
${methodLines}

lincir checks all files before it encodes anything, and scores nothing until all of
them are there. It keeps embeddings of images by model and file, so the next run begins
where this one ended. The results are a folder: results.json has everything you need to
repeat and compare them, report.html has queries to browse, and rankings-METHOD.jsonl
has the rankings of each method.

--shard lets many workers embed the images: each embeds a share of them into the cache,
which must be the same folder for all. Then the command without --shard measures.

Examples:
  $ lincir eval cirr --data CIRR --model large --phi runs/mine
  $ lincir eval cirr --data CIRR --model large --cache shared --shard 3/8
  $ lincir eval circo --data CIRCO --model large --phi lincir_large.pt \\
      --methods lincir,searle,image,text,sum,slerp --searle SEARLE_ViT-L14.pt
  $ lincir eval genecis --data GeneCIS --only focus_object,change_object --model base --phi runs/mine
  $ lincir eval custom --data mine --model base --phi runs/mine --prompts all --limit 200`;

export const scoreNotes = `
FILE is in the benchmark's official format: CIRR has two files (recall, recall_subset;
give one or both), CIRCO one, FashionIQ one for each category. For any benchmark it may
be rankings-METHOD.jsonl: for every query a line
{"query": id, "gallery": [ids], "candidates": [ids]}.

Examples:
  $ lincir score cirr --data CIRR --predictions recall.json recall_subset.json
  $ lincir score circo --data CIRCO --predictions submission_val.json
  $ lincir score genecis --data GeneCIS --predictions evaluations/genecis/rankings-lincir.jsonl`;

export const submitNotes = `
Takes the split with secret answers (for FashionIQ: val), unless you name another with
--split. Writes the files of each method that you name.

Examples:
  $ lincir submit cirr --data CIRR --model large --phi runs/mine --out submission
  $ lincir submit circo --data CIRCO --model large --phi runs/mine --out submission`;

export const compareNotes = `
Compares methods that both runs have, by name. If no method is in both, it compares the
first one of each. Differences are B minus A, with 95 % intervals from a bootstrap over
queries. p is of a paired randomisation test.

Example:
  $ lincir compare evaluations/cirr-a evaluations/cirr-b`;

export const miniNotes = `
The miniature world is small scenes with meaning, which let you try everything without
a download (docs/miniature.md). It has a model, mini, and captions, mini:captions.

Examples:
  $ lincir mini world
  $ lincir train --model mini --captions mini:captions --out runs/mini
  $ lincir eval mini --data world --model mini --phi runs/mini`;

/** A benchmark's name and what it is, and below them what its options may be. */
function described({ name, description, splits, parts, variants }: BenchmarkKind): string {
  const options = [
    ...(splits.length > 1 ? [`--split ${splits.join(' or ')}`] : []),
    ...(parts.length > 0 ? [`--only ${parts.join(',')}`] : []),
    ...(variants.length > 0 ? [`--variant ${variants.join(' or ')}`] : []),
  ];
  return [
    `  ${name.padEnd(17)} ${description}`,
    ...options.map((option) => option.padStart(option.length + 20)),
  ].join('\n');
}
