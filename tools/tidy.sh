#!/usr/bin/env bash
# clang-tidy, every warning an error, over the files that differ from a commit (default: the last one), or over all.
#   tools/tidy.sh [BASE|all]      needs the release preset to be configured
set -euo pipefail
cd "$(dirname "$0")/.."

base=${1:-HEAD~1}
if [ "$base" = all ]; then
  files=$(git ls-files 'src/*.cpp' 'apps/*.cpp')
else
  git rev-parse --quiet --verify "$base^{commit}" >/dev/null || { echo "tidy: no commit $base to compare with: nothing checked"; exit 0; }
  files=$(git diff --name-only --diff-filter=d "$base" -- 'src/*.cpp' 'apps/*.cpp')
fi
files=$(echo "$files" | grep -v '_test\.cpp$' || true)
[ -n "$files" ] || { echo "tidy: no changed source files"; exit 0; }
echo "tidy: $(echo "$files" | wc -l) files"
# Precompiled headers are clang's own but need the same build: tidy reads the sources without them.
commands=$(mktemp -d)
trap 'rm -rf "$commands"' EXIT
sed -E 's/-Xclang -include-pch -Xclang [^ ]+\.pch//g; s/-Winvalid-pch//g' build/release/compile_commands.json >"$commands/compile_commands.json"
echo "$files" | xargs -P "$(nproc)" -n 1 clang-tidy-19 -p "$commands" --quiet 2>/dev/null
