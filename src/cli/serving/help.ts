/** What `--help` says after the options of serve. */

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

serve answers what it has begun before it ends, on Ctrl-C or SIGTERM.

Examples:
  $ lincir serve --index photos.lance --phi lincir-large --open
  $ lincir serve --index shop=s3://bucket/shop.lance archive=old.lance --phi shop=runs/mine`;
