#!/usr/bin/env bash
# Makes the virtual environment of the end-to-end tests unless it is in the cache.
# The last line printed is its python.
set -euo pipefail

packages=(pymongo==4.20.1 pytest==8.4.2 pytest-timeout==2.4.0 pytest-xdist==3.8.0 requests==2.32.5)
cache=${TIDEMARK_CACHE:-$HOME/.cache/tidemark}
mkdir -p "$cache"
environment=$cache/python-$(echo "${packages[*]}" | sha256sum | cut -c1-12)
exec 9>"$cache/python.lock"
flock 9

if [ ! -f "$environment/complete" ]; then
  echo "making the python environment of the tests (once)" >&2
  rm -rf "$environment"
  /usr/bin/python3 -m venv "$environment" >&2
  "$environment/bin/pip" install --quiet --disable-pip-version-check "${packages[@]}" >&2
  touch "$environment/complete"
fi
echo "$environment/bin/python"
