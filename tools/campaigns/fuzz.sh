#!/usr/bin/env bash
# Every fuzz target for SECONDS each, under ASan and UBSan, two at a time; prints a table. What libFuzzer finds is left in
# build/fuzz/findings/<target>, what it has learned in build/fuzz/corpus/<target> for the next time.
#   tools/campaigns/fuzz.sh SECONDS
# Exit status 1 when a target crashed, leaked or hung.
set -euo pipefail
cd "$(dirname "$0")/../.."

seconds=${1:?usage: tools/campaigns/fuzz.sh SECONDS}
cmake --preset fuzz >/dev/null
targets=$(sed -n 's/^tidemark_fuzz(\([a-z_]*\) .*/\1/p' tests/fuzz/CMakeLists.txt)
# shellcheck disable=SC2086
cmake --build build/fuzz --target $(printf '%s_fuzz ' $targets) >/dev/null

fuzz_one() {  # TARGET SECONDS
  local target=$1 seconds=$2 work=build/fuzz status=0
  local log=$work/findings/$target/log
  mkdir -p "$work/corpus/$target" "$work/findings/$target"
  local seeds=()
  [ -d "tests/fuzz/seeds/$target" ] && seeds=("tests/fuzz/seeds/$target")
  "$work/tests/fuzz/${target}_fuzz" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$work/findings/$target/" "$work/corpus/$target" "${seeds[@]}" >"$log" 2>&1 || status=$?
  local runs coverage
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  coverage=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -1)
  printf '%-16s %12s %8s  %s\n' "$target" "${runs:--}" "${coverage:--}" "$([ "$status" -eq 0 ] && echo ok || echo "FAILED, see $log")"
  return "$status"
}
export -f fuzz_one

printf '%-16s %12s %8s  %s\n' target runs edges result
failed=0
echo "$targets" | xargs -P 2 -I{} bash -c "fuzz_one {} $seconds" || failed=1
exit $failed
