/** What `--help` says after the options of a command. */

import { datasetPresets } from '../hub/choices.ts';
import { madeNames } from '../training/choices.ts';
import { methodLines } from './options.ts';

export const examples = `
Examples:
  $ lincir models
  $ lincir models pull large
  $ lincir index photos --index photos.lance --model large
  $ lincir search --index photos.lance --image dog.jpg --text 'is swimming' --phi lincir-large
  $ lincir train --model base --captions captions.txt --out runs/mine
  $ lincir embed --model base --images photos --out photos.safetensors
  $ lincir embed --model base --texts captions.txt --out captions.npy --normalize
  $ echo 'a photo of $ that is red' | lincir tokenize --model base

Exit codes: 1 for a failure in data or environment, 2 for wrong usage. 130, 143 or 129
if Ctrl-C, kill or a closed terminal interrupts the command: it keeps what is done. A
second Ctrl-C ends it at once.
Models come from the Hugging Face hub and its cache. The usual variables apply:
HF_HOME, HF_HUB_CACHE, HF_TOKEN, HF_ENDPOINT, HF_HUB_OFFLINE.`;

export const checkNotes = `
It lists the processor, memory, GPUs, and the libraries of CUDA that are found or
missing. Then it computes matrix products, a model's embeddings and the gradients of
training on the device, and compares them with the CPU's. It ends with code 1 if the
device is missing, or if an error is larger than it may be. With --precision int8, it also
says what that costs and saves: cosines, nearest images and speed. Broken images are
named and left out. It ends with code 1 if int8 loses more than it may.

With --model, it also compares the model with values that others published: how similar
it finds a picture and texts, in float32. Pictures are downloaded once, or taken from
--pictures. It ends with code 1 if a value differs by more than the source allows. For
a model in a folder, say which one it is: --published openai/clip-vit-base-patch32.
--record writes such values of your own images to a file, and --values compares with
them: after an update, or on another machine.

With --phi and --data, it measures a phi on a benchmark instead, and compares it with the
figures that its authors published, or with an earlier results.json (--values). The
servers of CIRCO and CIRR keep their answers secret: --out takes the files for them.

Examples:
  $ lincir check
  $ lincir check --device webgpu
  $ lincir check --model base --precision int8 --images photos
  $ lincir check --model ./my-copy --published base --pictures pictures
  $ lincir check --model base --images photos/*.jpg --record values.json
  $ lincir check --model base --values values.json
  $ lincir check --phi lincir-large --data FashionIQ
  $ lincir check --phi lincir_large.pt --data CIRCO --out submission
  $ lincir check --device cuda --precision float16 --model large`;

export const embedNotes = `
A folder means every image in and below it. An empty line is an empty text.
Every embedding has a name: the image's path, or the text. The formats of OUT:
  .safetensors  tensors "embeddings" [count, dimensions] and "names" (UTF-8,
                one JSON string a line)
  .npy          an array [count, dimensions]; the names are in NAME.names.jsonl,
                one JSON string a line, and the model in NAME.model.json
  .jsonl        one {"name": ..., "embedding": [...]} a line

--shard lets many workers embed the images, each a share of them into a file of its own:
--out photos.npy --shard 3/8 writes photos-00003-of-00008.npy. What is there is not made
again. lincir index --embeddings takes all of them.

OUT.partial keeps what is done until all of it is. After any interruption, the
same command continues from there.

Examples:
  $ lincir embed --model large --images 'photos/**/*.jpg' --out photos.safetensors
  $ lincir embed --model base --images photos cat.png --out photos.npy --skip-broken
  $ lincir embed --model base --images photos --out photos.npy --shard 3/8
  $ lincir embed --model base --texts - --out captions.jsonl < captions.txt`;

export const exportNotes = `
The file is what torch.load reads, in the layout of LinCIR's, SEARLE's or Pic2Word's own
files, so their code takes it. --phi takes it as well: it also says which model it is for.
lincir and searle are one network, pic2word is another. Of a run's folder, the best phi
leaves, or else the latest.

The model card, README.md, has settings, captions, fingerprints and how to use phi. It has
figures of lincir eval if their results are in the run's folder, or if you give --results.

--to-hub needs a token that may write, in HF_TOKEN or from a login. It makes the repository
if it is missing: a private one, unless you give --public. All is in one commit, or nothing
is. If an upload is cut, the same command goes on. Files that are there with other contents
stay, unless you give --force. If anybody else commits meanwhile, nothing is changed.

--onnx writes a model's two towers for ONNX Runtime, transformers.js and whatever else
reads ONNX. With a phi, it also writes phi, and the text tower that takes its pseudo
tokens. README.md in the folder says what each file takes and gives, with programs in
Python and JavaScript. --precision float16 halves the files: weights and products are
float16, for GPUs and for less to download. --zero-shot adds both towers in one file, for
pipelines of zero-shot classification: twice the space.

Examples:
  $ lincir export runs/mine --out phi.pt
  $ lincir export runs/giga --to-hub me/lincir-giga --licence cc-by-4.0 --public
  $ lincir export runs/mine/phi-ema.safetensors --out ema.pt --results evaluations/ema
  $ lincir export pic2word-large --layout pic2word --out pic2word.pt
  $ lincir export --onnx --model base --out base-onnx
  $ lincir export runs/mine --onnx --precision float16 --out mine-onnx`;

export const keywordsNotes = `
Name sources as for lincir train. Without a source, or for -, captions come from
standard input, one a line. Each caption is shown with its keywords marked, and
below it as training would mask it. spans replaces the keywords where they stand.
official replaces every occurrence of their characters, as the method's authors do.
Training also cuts captions to the model's number of tokens.

Examples:
  $ lincir keywords captions.txt --limit 20
  $ lincir keywords prompts.parquet --column prompt --masking official --json
  $ echo 'Two dogs on a red sofa' | lincir keywords`;

export const trainNotes = `
A source is one of:
  a file      .txt, .jsonl, .csv, .tsv, .parquet; all but the last also .gz or .zst
  a pattern   'captions/*.txt', in quotes
  a data set  hf://datasets/OWNER/NAME on the hub
${datasetPresets.map(({ name, description }) => `  ${name.padEnd(11)} ${description}`).join('\n')}
  ${madeNames.join()}  captions of the miniature world
:WEIGHT after a source says how often its captions come in an epoch:
photos.txt:2 prompts.csv:0.5.

RUN is a folder. It gets config.json (all settings, to repeat the run), metrics.jsonl,
TensorBoard's events, report.html, phi-latest.safetensors, and phi-best and phi-ema if
there are such. Ctrl-C ends the current step, saves, and says how to continue. After a
crash, --resume continues from the last save. Either way, the run ends with the same phi,
bit for bit.

After three steps, training says how long it will take: 20,000 steps of 512 short
captions with large take 58 hours or more on two cores. Published phis need no training:
lincir models lists them.

Examples:
  $ lincir train --model large --captions lincir --out runs/large
  $ lincir train --model base --captions 'captions/*.txt' prompts.parquet:0.5 \\
      --column prompt text --out runs/mine --validate captions:held-out.txt
  $ lincir train --resume runs/mine
  $ lincir train --resume runs/mine --devices 0,1,2,3`;

export const indexNotes = `
A folder means every image in and below it, except hidden files, node_modules and what
systems keep for themselves, such as @eaDir. A .tar file means the images in a
WebDataset shard. Any other file means itself. s3://BUCKET/PREFIX/ means every image and
every shard below it, s3://BUCKET/KEY one of them. Credentials, region and endpoint come
from the environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN,
AWS_REGION, AWS_ENDPOINT_URL.

Before it encodes many images, it says how long that will take, after a look at some of
them, and how much disk and memory it needs.

Run the command again at any time. It only works on what is new, changed, renamed or
gone. It commits every five seconds: after any interruption, the same command continues.
Broken images are listed, and tried again when they change.

A search no longer finds an image that is gone or broken. It returns with its id and
metadata if it can be read again within 30 days (--keep-missing). If a whole folder is
gone, or half of one that you named, a disk may be missing: all of it stays in the index,
and the command ends with code 1. --remove-missing takes it out.

--compare says which files count as unchanged:
  times     same size, same time, and same ctime, which cp -p cannot set back
  modified  same size and time, for folders where backups change the ctime
  contents  same contents; reads every file

--watch stays, and repeats this after every change, until Ctrl-C or kill ends it. --poll
also looks every so many seconds, for folders whose changes the system does not report.

--shard lets many workers fill one index. Each does one share of the same folders and
shards, and removes nothing. What is done is skipped, what is half done goes on: run a
worker again whenever it ends. --status shows how far they are. --shard auto takes the
share from a Slurm array, auto/n also from a Kubernetes Indexed Job with n completions;
without --shard, these variables change nothing. docs/cluster.md has the whole procedure.

URI is a path, lance:PATH, in object storage s3://…, gs://… or az://…, or in an OpenSearch
cluster opensearch://HOST:PORT/NAME (docs/cluster.md)

--metadata adds columns that searches can filter by. Its keys are paths as the index has
them, or relative to the table's folder or to an indexed folder.
--embeddings takes what lincir embed wrote, or any .npy or .safetensors with names.

Examples:
  $ lincir index photos --index photos.lance --model base
  $ lincir index photos --index photos.lance --watch
  $ lincir index photos --index photos.lance --metadata ratings.csv
  $ find . -name '*.jpg' -print0 | lincir index --list - --index all.lance --model large
  $ lincir index shards/000.tar --index shop.lance --model base --precision float16
  $ lincir index --embeddings features.npy --names names.txt --index f.lance --model base
  $ lincir index shards/*.tar --index shop.lance --model base --shard 3/8
  $ lincir index --status --index shop.lance
  $ lincir index --stats --index photos.lance`;

export const reindexNotes = `
The old index stays in use until the new one is complete. Then the new one takes its
place. Ids and metadata stay. After any interruption, the same command continues.

Examples:
  $ lincir reindex --index photos.lance --model large
  $ lincir reindex --index photos.lance --precision float16`;

export const searchNotes = `
An image is a file, a web address, or the id or path of an indexed image, which needs
no encoding. If you give an image and words, phi turns the image into a pseudo token, in
the prompt: a photo of $ that WORDS (or with WORDS, or $ WORDS, whichever reads best).

A text with $ is the whole prompt. In it, several images are $1, $2, … Write it in
single quotes, because a shell empties $1 in double ones. \\$ is a dollar sign, and so
is the $ of a price, such as $100 or $1.50. The results leave out the query's own images.

Methods:
${methodLines}

FILTER compares path, folder, size, modified, all columns of metadata, and what
photos say about themselves: taken, camera, lens, latitude, longitude, width, height:
  folder like '%/2024' and (rating >= 4 or owner in ('Ada', 'Bob'))
  taken > '2024-05-01' and not path ilike '%.png' and camera is not null

Examples:
  $ lincir search --index photos.lance --image dog.jpg --text 'is swimming' --phi lincir-large
  $ lincir search --index photos.lance --image dog.jpg --image beach.jpg \\
      --text 'the dog of $1 on the beach of $2' --phi runs/mine --html --open
  $ lincir search --index photos.lance --text 'a red house' --top 50 --paths
  $ lincir search --index photos.lance --image dog.jpg --text 'a cat' --method sum
  $ lincir search --index photos.lance --phi runs/mine --interactive`;
