#!/usr/bin/env bash
# GET of one restore job with a bearer token, beside nginx serving the same bytes from a static file, in turn, on this
# machine. Prints requests a second, CPU microseconds of each server for one request (which tell more than the rate where
# others use the machine), the ratios, and latencies at 5,000 requests a second.
#
#   bench/edge.sh URL TOKEN PATH [SECONDS]      bench/large_catalog.py --serve prints such a line
#   KEY=PUBLIC:PRIVATE bench/edge.sh ...        the same with digest credentials, too
#
# Needs wrk, nginx, nghttp2-client and iproute2 (apt). The server must be running; one run takes about 10 * SECONDS.
set -euo pipefail

[ $# -ge 3 ] || { sed -n '2,10s/^# \{0,1\}//p' "$0"; exit 2; }
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
master_process off;
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
server_pid=$(ss -Hltnp "sport = :${url##*:}" | sed -n 's/.*pid=\([0-9]*\).*/\1/p' | head -1)

ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }  # of 10 ms

measure() {  # PID URL [wrk options]: prints requests/s and CPU microseconds of one
  local pid=$1 before after
  shift
  before=$(ticks "$pid")
  wrk --threads 1 --connections 16 --duration "${seconds}s" --latency "$@" >"$work/wrk.txt"
  after=$(ticks "$pid")
  grep -E 'Latency Distribution|50%|99%|Requests/sec|Non-2xx' "$work/wrk.txt" | tr -s ' ' | paste -sd' ' >&2
  awk -v ticks=$((after - before)) '/requests in/ { n = $1 } /Requests\/sec/ { printf "%.0f %.1f\n", $2, ticks * 10000 / n }' \
    "$work/wrk.txt"
}

compare() {  # NAME [wrk options]
  local name=$1
  shift
  read -r ours our_cpu < <(measure "$server_pid" "$url$path" "$@")
  read -r theirs their_cpu < <(measure "$nginx_pid" "http://127.0.0.1:$port/job.json")
  awk -v name="$name" -v a="$ours" -v b="$theirs" -v c="$our_cpu" -v d="$their_cpu" 'BEGIN {
    printf "%s: tidemark %d/s %.1f us, nginx %d/s %.1f us, ratio %.2f, of CPU %.2f\n", name, a, c, b, d, a / b, d / c }'
}

for round in 1 2 3; do
  echo "round $round" >&2
  compare bearer --header "Authorization: Bearer $token"
  if [ -n "${KEY:-}" ]; then
    "$(dirname "$0")/digest_headers.py" "$url" "$path" "${KEY%%:*}" "${KEY#*:}" $((seconds * 40000)) >"$work/digest.lua"
    compare digest --script "$work/digest.lua"
  fi
done

# 16 clients of 313 requests a second.
h2load --h1 --clients 16 --rps 313 --duration "$seconds" --log-file "$work/h2load.txt" \
  --header "Authorization: Bearer $token" "$url$path" >/dev/null
sort -n -k3 "$work/h2load.txt" | awk -v seconds="$seconds" '{ t[NR] = $3 } END {
  printf "%d requests a second: p50 %.2f ms, p99 %.2f ms, p99.9 %.2f ms\n", NR / seconds,
    t[int(NR * 0.5)] / 1000, t[int(NR * 0.99)] / 1000, t[int(NR * 0.999)] / 1000 }'
