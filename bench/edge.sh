#!/usr/bin/env bash
# GET of one restore job with a bearer token, beside nginx serving the same bytes from a static file, in turn, on this
# machine. Prints requests a second and latency percentiles of each, and the ratio.
#
#   bench/edge.sh URL TOKEN PATH [SECONDS]      e.g. bench/edge.sh http://127.0.0.1:8080 $TOKEN /api/atlas/v1.0/groups/...
#
# Needs wrk and nginx (apt). The server must be running; one run takes about 6 * SECONDS.
set -euo pipefail

[ $# -ge 3 ] || { sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 2; }
url=$1 token=$2 path=$3 seconds=${4:-5}
work=$(mktemp -d)
nginx_pid=
finish() {
  [ -z "$nginx_pid" ] || kill "$nginx_pid" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
mkdir "$work/www" "$work/logs"
chmod 755 "$work"
curl --silent --fail --header "Authorization: Bearer $token" "$url$path" >"$work/www/job.json"
cat >"$work/nginx.conf" <<CONF
worker_processes 1;
daemon off;
pid $work/nginx.pid;
error_log $work/logs/error.log;
events { worker_connections 1024; }
http {
  access_log off;
  default_type application/json;
  server { listen 127.0.0.1:$port; root $work/www; }
}
CONF
nginx -c "$work/nginx.conf" -e "$work/logs/error.log" &
nginx_pid=$!
sleep 0.5

measure() {  # URL [HEADER]: prints requests/s
  wrk --threads 1 --connections 16 --duration "${seconds}s" --latency ${2:+--header "$2"} "$1" >"$work/wrk.txt"
  grep -E 'Latency Distribution|50%|99%|Requests/sec|Non-2xx' "$work/wrk.txt" | tr -s ' ' | paste -sd' ' >&2
  awk '/Requests\/sec/ { print $2 }' "$work/wrk.txt"
}

for round in 1 2 3; do
  echo "round $round" >&2
  ours=$(measure "$url$path" "Authorization: Bearer $token")
  theirs=$(measure "http://127.0.0.1:$port/job.json")
  awk -v a="$ours" -v b="$theirs" 'BEGIN { printf "tidemark %.0f/s  nginx %.0f/s  ratio %.2f\n", a, b, a / b }'
done
