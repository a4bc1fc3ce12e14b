#!/usr/bin/env bash
# Makes the virtual environment of schemathesis unless it is in the cache.
# The last line printed is its program.
set -euo pipefail

packages=(schemathesis==4.32.5 requests==2.32.5)
cache=${TIDEMARK_CACHE:-$HOME/.cache/tidemark}
mkdir -p "$cache"
environment=$cache/schemathesis-$(echo "${packages[*]}" | sha256sum | cut -c1-12)
exec 9>"$cache/schemathesis.lock"
flock 9

if [ ! -f "$environment/complete" ]; then
  echo "making the python environment of schemathesis (once)" >&2
  rm -rf "$environment"
  /usr/bin/python3 -m venv "$environment" >&2
  "$environment/bin/pip" install --quiet --disable-pip-version-check "${packages[@]}" >&2
  touch "$environment/complete"
fi
echo "$environment/bin/schemathesis"
