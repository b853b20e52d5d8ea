/** What `--help` says after the options of serve, mcp and lend. */

export const serveNotes = `
The page is at the address that serve prints, and the API's description at /api. Without
options, only this machine reaches it.

For other machines, serve needs three things: --host, a key, and the name in its address:
  $ lincir serve --index photos.lance --host 0.0.0.0 --api-key-file keys.txt \\
      --allowed-host images.example.org
Keys are in the file, or one is in LINCIR_API_KEY. Clients send one as
"Authorization: Bearer KEY". --no-key does without, where the network itself is guarded.

--knn-service is for clip-retrieval's web front, Python client and demos. They send no key:
where there are keys, give it a file with a secret, and clients add that to the address.

--watch keeps an index up to date with its folders, in a process of its own. --folder names
them, because an index does not know where new images will be. --allow-indexing lets the page
and other clients start that: of these folders, and of those that images already lie in.
With --folder and --model, an index that is not there is made.

serve answers what it has begun before it ends, on Ctrl-C or SIGTERM.

Examples:
  $ lincir serve --index photos.lance --phi lincir-large --open
  $ lincir serve --demo --open
  $ lincir serve --index photos.lance --watch --folder ~/Pictures
  $ lincir serve --index new.lance --model base --folder ~/Pictures --allow-indexing --open
  $ lincir serve --index shop=s3://bucket/shop.lance archive=old.lance --phi shop=runs/mine`;

export const mcpNotes = `
You do not run this command yourself: an assistant such as Claude Desktop, VS Code or Cursor
does, once you have put it into its configuration (docs/serving.md has it for each):
  { "command": "lincir", "args": ["mcp", "--index", "/home/me/photos.lance"] }
Paths must be absolute. The assistant can then search, look at images, and read what columns
there are. It can change nothing, and names images by id or web address only.

The command ends when the assistant closes its standard input. Messages and errors go to
standard error, which assistants keep as a log.

Examples:
  $ lincir mcp --index photos.lance --phi lincir-large
  $ lincir mcp --index shop=s3://bucket/shop.lance archive=old.lance --no-image-urls`;

export const lendNotes = `
A training elsewhere gives this machine batches of captions, and gets gradients. Both have
the same model. This machine needs no captions, and writes nothing.

For other machines, lend needs --host and a key. Keys are in the file, or one is in
LINCIR_API_KEY. What is sent is not encrypted: use a network that is yours, a tunnel such as
SSH or WireGuard, or a proxy with https.

Examples:
  $ lincir lend --model large --devices 0,1,2,3 --host 10.0.0.7 --api-key-file key.txt
  $ lincir train --model large --captions captions.txt --out runs/large \\
      --devices 0,1,http://10.0.0.7:5463 --api-key-file key.txt`;
