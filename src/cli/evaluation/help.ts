/** What `--help` says after the options of eval, score, submit and compare. */

export const evaluateNotes = `
Benchmarks, each in its official layout (docs/evaluation.md):
  cirr              splits val, test1 (submit)
  circo             splits val, test (submit)
  fashioniq         split val; --only dress,shirt,toptee
  genecis           --only focus_attribute,change_attribute,focus_object,change_object;
                    --variant as-released asks object tasks as LinCIR's authors did
  coco-composition  Pic2Word's object composition on COCO val2017
  imagenet-domains  Pic2Word's domain conversion on ImageNet and ImageNet-R
  custom            queries.jsonl and pictures of your own
  mini              what lincir mini writes

All files are looked at before anything is encoded; nothing is scored without all
of them. Embeddings of pictures are kept by model and file, so that the next run
begins where this one was. The folder of results has results.json (everything
needed to repeat and to compare), report.html (with queries to browse), and the
rankings of each method.

Examples:
  $ lincir eval cirr --data CIRR --model large --phi runs/mine
  $ lincir eval circo --data CIRCO --model large --phi lincir_large.pt \\
      --methods lincir,searle,image,text,sum,slerp --searle SEARLE_ViT-L14.pt
  $ lincir eval genecis --data GeneCIS --only focus_object,change_object --model base --phi runs/mine
  $ lincir eval custom --data mine --model base --phi runs/mine --prompts all --limit 200`;

export const scoreNotes = `
Official formats: CIRR's two files (recall, recall_subset; give one or both), CIRCO's
one, FashionIQ's one a category. Any benchmark: rankings-METHOD.jsonl, a line
{"query": id, "gallery": [ids], "candidates": [ids]} for every query.

Examples:
  $ lincir score cirr --data CIRR --predictions recall.json recall_subset.json
  $ lincir score circo --data CIRCO --predictions submission_val.json
  $ lincir score genecis --data GeneCIS --predictions evaluations/genecis/rankings-lincir.jsonl`;

export const submitNotes = `
The split with secret answers is taken (FashionIQ: val) unless --split names
another. Of several methods, each has its files.

Examples:
  $ lincir submit cirr --data CIRR --model large --phi runs/mine --out submission
  $ lincir submit circo --data CIRCO --model large --phi runs/mine --out submission`;

export const compareNotes = `
Methods are compared by their names; where none is in both, the first ones are.
Differences are B minus A, with 95 % intervals from a bootstrap over queries; p is
of a paired randomisation test.

Example:
  $ lincir compare evaluations/cirr-a evaluations/cirr-b`;

export const miniNotes = `
Small scenes with meaning, for trying everything without any download
(docs/miniature.md). The model mini and the captions mini:captions belong to it.

Examples:
  $ lincir mini world
  $ lincir train --model mini --captions mini:captions --out runs/mini
  $ lincir eval mini --data world --model mini --phi runs/mini`;
