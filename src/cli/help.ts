/** What `--help` says after the options of a command. */

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

Exit codes: 1 failure in data or environment, 2 wrong usage; 130, 143 or 129
interrupted by Ctrl-C, kill or a closed terminal: what is done is kept, and a
second Ctrl-C ends at once.
Models come from the Hugging Face hub and its cache. The usual variables apply:
HF_HOME, HF_HUB_CACHE, HF_TOKEN, HF_ENDPOINT, HF_HUB_OFFLINE.`;

export const embedNotes = `
A folder stands for every picture in and under it. An empty line is an empty text.
Names are the pictures' paths, or the texts. They go with the embeddings:
  .safetensors  tensors "embeddings" [count, dimensions], and "names": UTF-8,
                one JSON string a line
  .npy          an array [count, dimensions]; the names are in NAME.names.jsonl,
                one JSON string a line
  .jsonl        one {"name": ..., "embedding": [...]} a line

What is done is kept in OUT.partial until all is: after any interruption the
same command goes on from there.

Examples:
  $ lincir embed --model large --images 'photos/**/*.jpg' --out photos.safetensors
  $ lincir embed --model base --images photos cat.png --out photos.npy --skip-broken
  $ lincir embed --model base --texts - --out captions.jsonl < captions.txt`;

export const keywordsNotes = `
Sources are named as for lincir train. Without any, or for -, captions are read
from standard input, one a line. Every caption comes with its keywords marked,
and below it as training would mask it: spans replaces the keywords where they
stand, official every occurrence of their characters, as the method's authors do.
Training also cuts captions to the model's number of tokens.

Examples:
  $ lincir keywords captions.txt --limit 20
  $ lincir keywords prompts.parquet --column prompt --masking official --json
  $ echo 'Two dogs on a red sofa' | lincir keywords`;

export const trainNotes = `
A source is a file (.txt, .jsonl, .csv, .tsv, .parquet, the text ones also .gz or
.zst), a pattern in quotes, a data set on the hub (hf://datasets/OWNER/NAME), or
lincir for the three data sets of the method's authors. :WEIGHT after it says
how often its captions come in an epoch: photos.txt:2 prompts.csv:0.5.

RUN becomes a folder: config.json (all settings, to make the run again),
metrics.jsonl, TensorBoard's events, report.html, phi-latest.safetensors, and
phi-best and phi-ema where there are such. Ctrl-C ends the present step, saves,
and says how to go on; after anything worse, --resume goes on from the last
save, and ends with the same phi to the bit. After three steps it says how long
all will take: 20,000 steps of 512 short captions with large are 58 hours or more on
two cores. Published phis need no training: lincir models lists them.

Examples:
  $ lincir train --model large --captions lincir --out runs/large
  $ lincir train --model base --captions 'captions/*.txt' prompts.parquet:0.5 \\
      --column prompt text --out runs/mine --validate captions:held-out.txt
  $ lincir train --resume runs/mine`;

export const indexNotes = `
A folder stands for every picture in and under it, hidden files, node_modules,
.git and @eaDir excepted; a .tar file for the pictures in a WebDataset shard; any
other file for itself. Run it again at any time: only what is new, changed,
renamed or gone costs anything. Stopped in any way, what was committed is kept
(every five seconds), and the same command goes on. Broken pictures are listed, and
tried again when they change.

A picture that is gone or broken is found no more, but comes back with its id and
metadata when it can be read again within 30 days (--keep-missing). Where a whole
folder is gone, or half of one that was named, a disk may be away: all of it stays
in the index, and the command ends with code 1. --remove-missing takes it out.

--compare says what tells that a file is as it was: times (its size, its time, and
the time when the system saw a change, which copying with times kept does not set
back), modified (without the latter, where backups change it) or contents.

URI is a path, lance:PATH, or in object storage s3://…, gs://… or az://…

--metadata adds columns that searches can filter by. Keys are paths as the index
has them, or relative to the table's folder or an indexed one.
--embeddings takes what lincir embed wrote, or any .npy or .safetensors with names.

Examples:
  $ lincir index photos --index photos.lance --model base
  $ lincir index photos --index photos.lance --metadata ratings.csv
  $ find . -name '*.jpg' -print0 | lincir index --list - --index all.lance --model large
  $ lincir index shards/000.tar --index shop.lance --model base --precision float16
  $ lincir index --embeddings features.npy --names names.txt --index f.lance --model base
  $ lincir index --stats --index photos.lance`;

export const reindexNotes = `
The old index serves until the new one is complete, then the new one takes its
place. Ids and metadata stay. Stopped in any way, the same command goes on.

Examples:
  $ lincir reindex --index photos.lance --model large
  $ lincir reindex --index photos.lance --precision float16`;

export const searchNotes = `
An image is a file, an address on the web, or the id or path of a picture in the
index, whose embedding is there already. With a picture and words, phi makes a word
of the picture: a photo of $ that WORDS (or with WORDS, or $ WORDS, as reads best).
A text with $ is the prompt itself; several pictures are $1, $2, … in it. Write it in
single quotes, since a shell empties $1 in double ones. \\$ is a dollar sign, and so is
the one of a price, such as $100 or $1.50. The query's own pictures are left out.

FILTER compares path, folder, size, modified, all columns of metadata, and what
photos say of themselves: taken, camera, lens, latitude, longitude, width, height:
  folder like '%/2024' and (rating >= 4 or owner in ('Ada', 'Bob'))
  taken > '2024-05-01' and not path ilike '%.png' and camera is not null

Examples:
  $ lincir search --index photos.lance --image dog.jpg --text 'is swimming' --phi lincir-large
  $ lincir search --index photos.lance --image dog.jpg --image beach.jpg \\
      --text 'the dog of $1 on the beach of $2' --phi runs/mine --html --open
  $ lincir search --index photos.lance --text 'a red house' --top 50 --paths
  $ lincir search --index photos.lance --image dog.jpg --text 'a cat' --method sum
  $ lincir search --index photos.lance --phi runs/mine --interactive`;
