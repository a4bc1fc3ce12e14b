#!/usr/bin/env bash
# Builds one client from a folder of tests/e2e/gosdk, unless it is in the cache. Each goes with program.go; a folder that
# is named after a version of the Atlas Go SDK with scenario.go, too. A folder that is for several versions of the SDK is
# told which release; its calls have new names from v20250312007 on (build tag `renamed`).
# usage: gosdk.sh v20240530005|v20241113005|download-v20250312006|legacy-v0.38.0|clusters-v0.38.0|schedules|policies|exports|collections
#        gosdk.sh flex v20241113005.0.0|v20250312006.1.0|v20250312008.0.0|v20250312020.0.0
#        gosdk.sh cloud v20240530005.0.0|v20250312020.0.0
# The last line printed is the program's path.
# Without Go: says why and exits with 77.
set -euo pipefail
version=${1:?usage: gosdk.sh FOLDER [RELEASE]}
release=${2:-}
name=$version${release:+-$release}
source=$(cd "$(dirname "$0")/../../tests/e2e/gosdk" && pwd)

command -v go >/dev/null || { echo "skipped: there is no go in PATH"; exit 77; }

cache=${TIDEMARK_CACHE:-$HOME/.cache/tidemark}
shared=("$source/program.go")
[[ $version != v* ]] || shared+=("$source/scenario.go")
key=$(cat "${shared[@]}" "$source/$version"/* | sha256sum | cut -c1-16)
program=$cache/gosdk-$name-$key
mkdir -p "$cache"
exec 9>"$cache/gosdk-$name.lock"
flock 9

if [ ! -x "$program" ]; then
  echo "building the Go client $name (once)" >&2
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  cp "$source/$version"/* "$work"
  for file in "${shared[@]}"; do
    sed "s/ATLAS_SDK_VERSION/$version/" "$file" >"$work/${file##*/}"
  done
  tags=()
  if [ -n "$release" ]; then
    sdk=${release%%.*}
    sed -i "s/ATLAS_SDK_VERSION/$sdk/; s/ATLAS_SDK_RELEASE/$release/" "$work"/*
    [[ $sdk < v20250312007 ]] || tags=(-tags renamed)
  fi
  (cd "$work" && CGO_ENABLED=0 go build "${tags[@]}" -mod=readonly -trimpath -o "$program.new" . >&2)
  mv "$program.new" "$program"
fi
echo "$program"
