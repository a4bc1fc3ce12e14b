#!/usr/bin/env bash
# The snapshot engine fed from memory beside zstd -1, restic and borg on the same bytes, in one run on this machine.
# Then what a second snapshot costs after few changes, and whole snapshots, restores, checks and diffs over the wire with
# the most memory that the server had (bench/wire.sh, whose variables bring in a real server, mongodump and mongorestore).
# One table: what, seconds, MB/s of BSON, ratio. Needs zstd, restic and borgbackup (apt) and the release build.
#
#   bench/compare.sh [MEBIBYTES]        default 512; needs four times that on the disk of TMPDIR
set -euo pipefail
cd "$(dirname "$0")/.."

mebibytes=${1:-512}
bench=$PWD/build/release/bench/engine_bench
[ -x "$bench" ] || { echo "error: $bench is missing" >&2; echo "hint: cmake --build build/release" >&2; exit 1; }
work=$(mktemp -d "${TMPDIR:-/tmp}/tidemark-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work/in"
export RESTIC_PASSWORD=bench BORG_PASSPHRASE=bench BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes
export HOME=$work RESTIC_CACHE_DIR=$work/cache BORG_BASE_DIR=$work/borg-base

now() { date +%s.%N; }
report() {  # NAME START END INPUT_BYTES STORED_BYTES
  awk -v n="$1" -v s="$2" -v e="$3" -v i="$4" -v o="$5" \
    'BEGIN { printf "%-44s %6.2f s %6.0f MB/s  ratio %.2f\n", n, e - s, i / (e - s) / 1e6, i / o }'
}
size() { du -sb "$1" | cut -f1; }

"$bench" --mib "$mebibytes" --dump "$work/in/orders.bson" >"$work/first"
bytes=$(stat -c %s "$work/in/orders.bson")

for round in 1 2 3; do
  echo "round $round"
  "$bench" --mib "$mebibytes" | awk '
    /^snapshot:/ { seconds = $(NF - 1) }
    $1 == "BSON" { printf "%-44s %6.2f s %6.0f MB/s  ratio %.2f\n", "tidemark", seconds, $2, $7 }'
  start=$(now); zstd -1 -T1 -q -f "$work/in/orders.bson" -o "$work/out.zst"; report "zstd -1" "$start" "$(now)" "$bytes" "$(stat -c %s "$work/out.zst")"
  rm -rf "$work/restic"; restic init -q -r "$work/restic"
  start=$(now); restic backup -q -r "$work/restic" "$work/in"; report restic "$start" "$(now)" "$bytes" "$(size "$work/restic")"
  rm -rf "$work/borg"; borg init -e repokey-blake2 "$work/borg" 2>"$work/borg.log" || { cat "$work/borg.log" >&2; exit 1; }
  start=$(now); borg create -C zstd,1 "$work/borg::one" "$work/in"; report "borg zstd,1" "$start" "$(now)" "$bytes" "$(size "$work/borg")"
done

# A second snapshot after so many of a thousand documents have changed, beside restic's second backup of the same bytes.
for permille in 0 1 10 100; do
  echo "churn $permille/1000"
  "$bench" --mib "$mebibytes" --churn-permille "$permille" --dump "$work/in/orders.bson" --dump-after "$work/after.bson" |
    sed -n 's/^/tidemark   /; /second/,/stored/p'
  rm -rf "$work/restic"; restic init -q -r "$work/restic"
  restic backup -q -r "$work/restic" "$work/in"
  first=$(size "$work/restic")
  mv "$work/after.bson" "$work/in/orders.bson"
  start=$(now); restic backup -q -r "$work/restic" "$work/in"; end=$(now)
  awk -v s="$start" -v e="$end" -v i="$bytes" -v a="$first" -v b="$(size "$work/restic")" \
    'BEGIN { printf "restic     %7.0f MB/s   stored %d bytes, %.3f %% of the first\n", i / (e - s) / 1e6, b - a, 100 * (b - a) / a }'
done

echo "over the wire"
bench/wire.sh
