#!/usr/bin/env bash
# All fault campaigns (docs/testing.md) with their full counts, from one seed; a line of figures each, then the time.
#   tools/campaigns/all.sh [SEED] [KILLS]     default: the date, 1000
# Exit status 1 when any of them found a violation. Two hours at most.
set -euo pipefail
cd "$(dirname "$0")/../.."

seed=${1:-$(date +%Y%m%d)}
kills=${2:-1000}
cmake --preset release >/dev/null
cmake --build build/release --target tidemark-campaign >/dev/null
failed=0

campaign() {  # NAME OPTION...
  local start=$SECONDS
  timeout 3600 build/release/tests/fault/tidemark-campaign "$@" --seed "$seed" || failed=1
  echo "  $((SECONDS - start)) s"
}

campaign kill-snapshots --count "$kills"
campaign kill-compactions --count "$kills"
campaign kill-collections --count "$kills"
campaign kill-restores --count "$kills"
campaign all-at-once --count "$kills"
campaign power --count 3
campaign files
campaign exports --count 3
campaign sockets --count 500
campaign damage --count $((kills * 10))
# The whole server, beside servers in memory: every round is a start of it, so fewer.
cmake --build build/release --target tidemark tidemark-memory-server >/dev/null
start=$SECONDS
timeout 3600 "$(tools/testservers/python.sh)" tests/e2e/kill_jobs.py --seed "$seed" --kills $(((kills + 3) / 4)) | tail -1 || failed=1
echo "  $((SECONDS - start)) s"
exit $failed
