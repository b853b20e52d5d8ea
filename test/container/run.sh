#!/usr/bin/env bash
# Runs what an image has, without a container engine: in its root, read-only, as user 1000 without any rights, with
# folders for /photos, /index and /cache. Needs root.
#   buildah build --format docker --isolation chroot -t lincir . && root=$(buildah mount "$(buildah from lincir)")
#   test/container/run.sh "$root" PHOTOS
set -euo pipefail
[ -n "${LINCIR_IN_NAMESPACE:-}" ] || LINCIR_IN_NAMESPACE=1 exec unshare --mount --pid --fork --mount-proc --ipc --uts "$0" "$@"
root=$1 photos=$2
state=$(mktemp -d)
trap 'rm -rf "$state"' EXIT
install -d -o 1000 -g 1000 "$state/index" "$state/cache"
printf 'a-key-for-this-check-0123456789\n' >"$state/keys.txt"

mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs -o size=64m,mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mkdir "$root/run/secrets" && cp "$state/keys.txt" "$root/run/secrets/lincir_keys"
mount --rbind /dev "$root/dev"
mount --bind -o ro "$photos" "$root/photos"
mount -o remount,ro,bind "$root/photos"
for folder in index cache; do mount --bind "$state/$folder" "$root/$folder"; done
mount -o remount,ro,bind "$root/run"
mount -o remount,ro,bind "$root"

inside=(chroot "$root" /usr/bin/setpriv --reuid 1000 --regid 1000 --clear-groups --bounding-set=-all --inh-caps=-all
  --no-new-privs /usr/bin/env -i PATH=/usr/local/bin:/usr/bin:/bin NODE_ENV=production HOME=/tmp
  HF_HOME=/cache/huggingface LINCIR_CACHE=/cache/lincir)
step() { printf '\n== %s\n' "$*"; }

step 'nothing but its folders can be written'
"${inside[@]}" sh -c 'id; ! touch /app/x /usr/x /photos/x /run/secrets/x 2>/dev/null; touch /tmp/x /index/x /cache/x && rm /index/x'
step 'index'
"${inside[@]}" lincir index /photos --index /index/photos.lance --model mini
step 'the health check without a server'
! "${inside[@]}" node /app/health.mjs
step 'serve'
"${inside[@]}" lincir serve --index /index/photos.lance --watch --folder /photos --host 0.0.0.0 \
  --api-key-file /run/secrets/lincir_keys --allowed-host localhost &
server=$!
for _ in $(seq 60); do "${inside[@]}" node /app/health.mjs && break || sleep 1; done
step 'a search, a thumbnail, and the page'
"${inside[@]}" node -e '
  const headers = { authorization: "Bearer a-key-for-this-check-0123456789", "content-type": "application/json" };
  const get = (path, body) => fetch(`http://127.0.0.1:5462${path}`, { headers, ...(body && { method: "POST", body }) });
  const { images } = await (await get("/api/v1/search", JSON.stringify({ text: "a red heart", limit: 3 }))).json();
  for (const { path, score } of images) console.log(score.toFixed(3), path);
  for (const path of [`/api/v1/indexes/photos/images/${images[0].id}/thumbnail`, "/"]) {
    const answer = await get(path);
    console.log(answer.status, answer.headers.get("content-type"), (await answer.bytes()).length, "bytes");
  }
  if ((await fetch("http://127.0.0.1:5462/api/v1/indexes")).status !== 401) throw new Error("no key was asked for");'
step 'SIGTERM'
kill -TERM "$server"
wait "$server" || { echo "it ended with $?"; exit 1; }
echo 'it ended with 0'
