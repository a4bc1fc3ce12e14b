#!/usr/bin/env bash
# Makes a virtual environment with the PyPI package atlasapi unless it is in the cache.
# The last line printed is its python.
set -euo pipefail
packages=(atlasapi==2.0.11)

cache=${TIDEMARK_CACHE:-$HOME/.cache/tidemark}
environment=$cache/${packages[0]/==/-}
mkdir -p "$cache"
exec 9>"$environment.lock"
flock 9

if [ ! -f "$environment/complete" ]; then
  echo "making the python environment of ${packages[0]} (once)" >&2
  rm -rf "$environment"
  /usr/bin/python3 -m venv "$environment" >&2
  "$environment/bin/pip" install --quiet --disable-pip-version-check "${packages[@]}" >&2
  touch "$environment/complete"
fi
echo "$environment/bin/python"
