#!/usr/bin/env bash
# Builds FerretDB, the MongoDB-compatible server of the tests and the demo, unless it is in the cache.
# The last line printed is the program's path.
set -euo pipefail

version=1.24.2
cache=${TIDEMARK_CACHE:-$HOME/.cache/tidemark}/ferretdb-$version

if [ -x "$cache/ferretdb" ]; then
  echo "$cache/ferretdb"
  exit 0
fi

fail() { printf 'error: %s\nhint: %s\n' "$1" "$2" >&2; exit 1; }

command -v go >/dev/null ||
  fail "FerretDB cannot be built: there is no go in PATH" "install Go 1.22 or newer"
minor=$(go env GOVERSION | sed -n 's/^go1\.\([0-9]*\).*/\1/p')
[ "${minor:-0}" -ge 22 ] ||
  fail "FerretDB cannot be built: $(go env GOVERSION) is too old" "install Go 1.22 or newer"

mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
if [ ! -x "$cache/ferretdb" ]; then
  echo "building FerretDB $version (once, about two minutes)" >&2
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  module=$(cd "$work" && go mod download -json "github.com/FerretDB/FerretDB@v$version" |
    sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
  cp -R "$module" "$work/source"
  chmod -R u+w "$work/source"
  # The published module lacks this embedded file; without it the program stops at start.
  echo "v$version" >"$work/source/build/version/version.txt"
  (cd "$work/source" && CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o "$cache/ferretdb.new" ./cmd/ferretdb)
  mv "$cache/ferretdb.new" "$cache/ferretdb"
fi
echo "$cache/ferretdb"
