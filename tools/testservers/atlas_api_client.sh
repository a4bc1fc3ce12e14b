#!/usr/bin/env bash
# Installs the npm package mongodb-atlas-api-client unless it is in the cache.
# The last line printed is the folder for NODE_PATH. Without npm: says why and exits with 77.
set -euo pipefail
package=mongodb-atlas-api-client@4.19.0

for program in node npm; do
  command -v "$program" >/dev/null || { echo "skipped: there is no $program in PATH"; exit 77; }
done

cache=${TIDEMARK_CACHE:-$HOME/.cache/tidemark}
folder=$cache/${package/@/-}
mkdir -p "$cache"
exec 9>"$folder.lock"
flock 9

if [ ! -f "$folder/complete" ]; then
  echo "installing $package (once)" >&2
  rm -rf "$folder"
  mkdir -p "$folder"
  npm install --prefix "$folder" --silent --no-audit --no-fund --ignore-scripts "$package" >&2
  touch "$folder/complete"
fi
echo "$folder/node_modules"
