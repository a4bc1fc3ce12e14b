#!/usr/bin/env bash
# Whole snapshots and restores over the wire, between servers that hold everything in memory, beside the least that any
# client has to do with the same server through the same driver. One run, one table. Everything shares this machine's
# cores with the server, so only ratios count.
#
#   bench/wire.sh [DOCUMENTS]        default 1,000,000 of 780 bytes; needs jq, curl and the release build
#
# With a real server at hand:
#   SOURCE_URI         read from this server instead; DOCUMENTS is ignored
#   SOURCE_NAMESPACE   the collection that the plain clients read, default shop.orders
#   TARGET_URI         restore into this server instead: EVERYTHING THAT IS THERE IS DELETED
#   MONGODUMP, MONGORESTORE   the programs, to be run beside ours: without compression and with, default workers and 4
set -euo pipefail
cd "$(dirname "$0")/.."

documents=${1:-1000000}
tidemark=$PWD/build/release/apps/tidemark/tidemark
memory=$PWD/build/release/tests/support/tidemark-memory-server
plain=$PWD/build/release/bench/plain_client
work=$(mktemp -d "${TMPDIR:-/tmp}/tidemark-wire.XXXXXX")
pids=()
finish() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
trap finish EXIT
now() { date +%s.%N; }

start_memory() {  # NAME ARGUMENT...   sets `port`
  local name=$1
  shift
  "$memory" --port 0 "$@" >"$work/$name.port" 2>"$work/$name.log" &
  pids+=($!)
  for _ in $(seq 200); do [ -s "$work/$name.port" ] && break; sleep 0.1; done
  port=$(cat "$work/$name.port")
}

source_uri=${SOURCE_URI:-}
if [ -z "$source_uri" ]; then
  start_memory source --generate "shop.orders:$documents:780"
  source_uri=mongodb://127.0.0.1:$port/
fi
namespace=${SOURCE_NAMESPACE:-shop.orders}
database=${namespace%%.*} collection=${namespace#*.}
target_uri=${TARGET_URI:-}
if [ -z "$target_uri" ]; then
  start_memory target --discard-checks
  target_uri=mongodb://127.0.0.1:$port/
fi
start_memory plain_target --discard-checks
plain_uri=mongodb://127.0.0.1:$port/

"$tidemark" init --data-dir "$work/data" --output json >"$work/init.json"
field() { jq -r ".$2" "$work/$1.json"; }
export TIDEMARK_PROJECT TIDEMARK_PUBLIC_KEY TIDEMARK_PRIVATE_KEY TIDEMARK_URL
TIDEMARK_PROJECT=$(field init projectId) TIDEMARK_PUBLIC_KEY=$(field init publicKey) TIDEMARK_PRIVATE_KEY=$(field init privateKey)
http=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
TIDEMARK_URL=http://127.0.0.1:$http
"$tidemark" serve --data-dir "$work/data" --listen "127.0.0.1:$http" >"$work/serve.log" 2>&1 &
server=$!
pids+=("$server")
for _ in $(seq 100); do curl -s -o "$work/ready" "$TIDEMARK_URL/readyz" && break; sleep 0.1; done
"$tidemark" cluster add Source --uri "$source_uri" --output json >"$work/source.json"
"$tidemark" cluster add Target --uri "$target_uri" --tier dedicated --output json >"$work/target.json"

# Each line: what, seconds, MB/s of BSON. Times of jobs include the command's start and its polling.
report() { awk -v n="$1" -v s="$2" -v e="$3" -v b="$bytes" 'BEGIN { printf "%-44s %6.2f s %6.0f MB/s\n", n, e - s, b / (e - s) / 1e6 }'; }
timed() {  # NAME COMMAND...   keeps the answer in NAME.json
  local name=$1 start
  shift
  start=$(now)
  "$@" >"$work/answer.json"
  report "$name" "$start" "$(now)"
}

start=$(now)
"$tidemark" snapshot take Source --output json >"$work/first.json"
end=$(now)
bytes=$(field first logicalBytes)
report "first snapshot" "$start" "$end"
timed "second snapshot, nothing changed" "$tidemark" snapshot take Source --output json
snapshot=$(field first id)
second=$(field answer id)
timed "diff of the two" "$tidemark" snapshot diff Source "$snapshot" "$second" --output json
timed "plain reader" "$plain" read "$source_uri" "$database" "$collection" 2>"$work/plain.log"
start=$(now); "$plain" dump "$source_uri" "$database" "$collection" 2>"$work/plain.log" | gzip -6 | wc -c >"$work/gzip"; report "plain reader | gzip -6" "$start" "$(now)"
if [ -n "${MONGODUMP:-}" ]; then
  timed "mongodump" "$MONGODUMP" --quiet --uri "$source_uri" --archive="$work/dump"
  timed "mongodump --gzip" "$MONGODUMP" --quiet --uri "$source_uri" --archive="$work/dump.gz" --gzip
  printf '%-44s %6.2f\n' "BSON bytes : mongodump --gzip" "$(awk -v b="$bytes" -v z="$(stat -c %s "$work/dump.gz")" 'BEGIN { print b / z }')"
fi
timed "restore, read back and verified" "$tidemark" restore start Source --snapshot "$snapshot" --target Target --output json
timed "delta restore, nothing to change" "$tidemark" restore start Source --snapshot "$snapshot" --target Target --delta --output json
if [ -n "${MONGORESTORE:-}" ] && [ -s "$work/dump.gz" ]; then
  for workers in 1 4; do  # 1 is its default
    timed "mongorestore --gzip, $workers workers" "$MONGORESTORE" --quiet --uri "$target_uri" --drop --gzip \
      --numInsertionWorkersPerCollection "$workers" --archive="$work/dump.gz"
  done
fi
"$plain" write "$source_uri" "$database" "$collection" "$plain_uri" 2>"$work/write.log"
printf '%-44s %s\n' "plain inserter, writing alone" "$(cut -d, -f2- "$work/write.log")"
timed "repo check --read-data" "$tidemark" repo check --read-data --project "$TIDEMARK_PROJECT" --output json
awk '/VmHWM/ { printf "%-44s %6.0f MiB\n", "most memory of the server", $2 / 1024 }' "/proc/$server/status"
printf '%-44s %6.2f\n' "BSON bytes : stored bytes" "$(jq -r '.logicalBytes / .storedBytes' "$work/first.json")"
