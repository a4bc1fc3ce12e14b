#!/usr/bin/env bash
# Installs MongoDB's MCP server from npm, unless it is in the cache. The last line printed is the folder it is in.
# Without Node 20.19 or newer: says why and exits with 77.
set -euo pipefail
version=3.0.4

command -v npm >/dev/null || { echo "skipped: there is no npm in PATH"; exit 77; }
node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
  { echo "skipped: the MCP server needs Node 20.19, here is $(node --version)"; exit 77; }

folder=${TIDEMARK_CACHE:-$HOME/.cache/tidemark}/mcp-$version
mkdir -p "${folder%/*}"
exec 9>"$folder.lock"
flock 9
if [ ! -d "$folder" ]; then
  echo "installing mongodb-mcp-server $version (once)" >&2
  rm -rf "$folder.new"
  mkdir "$folder.new"
  (cd "$folder.new" && npm install --no-audit --no-fund --ignore-scripts "mongodb-mcp-server@$version" >&2)
  mv "$folder.new" "$folder"
fi
echo "$folder"
