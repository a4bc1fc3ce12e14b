#!/usr/bin/env bash
# Builds mongo-java-server, which takes the BSON types that FerretDB refuses, unless it is in the cache.
# The last line printed is its class path; start it with: java -cp "$(THIS | tail -n 1)" Main PORT
# Without a JDK or Maven: says why and exits with 77.
set -euo pipefail
cd "$(dirname "$0")/mongo_java_server"

key=$(cat pom.xml src/main/java/Main.java | sha256sum | cut -c1-12)
cache=${TIDEMARK_CACHE:-$HOME/.cache/tidemark}/mongo-java-server-1.47.0-$key
class_path="$cache/classes:$cache/lib/*"

if [ -f "$cache/complete" ]; then
  echo "$class_path"
  exit 0
fi

for program in javac mvn; do
  command -v "$program" >/dev/null || { echo "skipped: there is no $program in PATH"; exit 77; }
done

mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
if [ ! -f "$cache/complete" ]; then
  echo "building mongo-java-server (once)" >&2
  # Maven keeps what is there, also half a file of a build that was killed.
  rm -rf "$cache/lib" "$cache/classes"
  mvn --batch-mode --quiet dependency:copy-dependencies -DoutputDirectory="$cache/lib" >&2
  javac -d "$cache/classes" -cp "$cache/lib/*" src/main/java/Main.java
  touch "$cache/complete"
fi
echo "$class_path"
