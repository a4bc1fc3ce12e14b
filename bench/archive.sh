#!/usr/bin/env bash
# Packing a snapshot beside tar with gzip, pigz and igzip on the same documents, in one run on this machine. Prints MB/s of
# BSON in elapsed and in CPU time. Needs the release build; pigz and igzip (apt: pigz, isal) are left out when missing.
#
#   bench/archive.sh [MEBIBYTES]        default 256; needs twice that on the disk of TMPDIR
set -euo pipefail
cd "$(dirname "$0")/.."

mebibytes=${1:-256}
bench=$PWD/build/release/bench
for program in engine_bench archive_bench; do
  [ -x "$bench/$program" ] || { echo "error: $bench/$program is missing" >&2; echo "hint: cmake --build build/release" >&2; exit 1; }
done
work=$(mktemp -d "${TMPDIR:-/tmp}/tidemark-archive.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/dump/shop"
file=$work/dump/shop/orders.bson
"$bench/engine_bench" --mib "$mebibytes" --dump "$file" >/dev/null
bytes=$(stat -c %s "$file")
cat "$file" >/dev/null  # both sides find it in memory

peer() {  # NAME COMMAND...: the command reads the tar
  local name=$1
  shift
  local TIMEFORMAT='%R %U %S'
  command -v "$1" >/dev/null || { echo "$name: not installed"; return; }
  local times
  times=$({ time (tar cf - -C "$work" dump | "$@" >"$work/out"); } 2>&1)
  read -r wall user system <<<"$times"
  awk -v n="$name" -v w="$wall" -v u="$user" -v s="$system" -v i="$bytes" -v o="$(stat -c %s "$work/out")" \
    'BEGIN { printf "%-22s %6.0f MB/s of BSON, %5.0f per CPU second, ratio %.2f\n", n, i / w / 1e6, i / (u + s) / 1e6, i / o }'
}

for round in 1 2 3; do
  echo "round $round"
  "$bench/archive_bench" "$file" tar.gz 1
  "$bench/archive_bench" "$file" tar.gz 2
  "$bench/archive_bench" "$file" archive 2
  "$bench/archive_bench" "$file" json 2
  peer "tar | gzip -6" gzip -6
  peer "tar | gzip -1" gzip -1
  peer "tar | pigz -6 -p 2" pigz -6 -p 2
  peer "tar | igzip -1" igzip -1 -c
done
