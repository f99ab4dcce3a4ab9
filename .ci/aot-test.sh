#!/bin/sh
# Tests with a real JVM that the launcher's cache of loaded classes is really loaded, and only where it belongs.
set -eu

repo=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Runs the launcher and says whether Gyre's classes came from a cache.
cached() {
  rm -f "$scratch/log"
  JAVA_TOOL_OPTIONS= JDK_JAVA_OPTIONS="-Xlog:class+load:file=$scratch/log" "$repo/gyre" --version >"$scratch/out" 2>&1
  grep -q '^gyre ' "$scratch/out" || { cat "$scratch/out"; exit 1; }
  grep -q 'dev.gyre.cli.Main source: shared objects file' "$scratch/log"
}

"$repo/gyre" --version >/dev/null 2>&1 # builds, if need be
cached || { echo "FAIL  the cache is not loaded"; exit 1; }
echo "ok    the cache is loaded"

"$repo/gyre" "a red circle" --steps 1 -o "$scratch/a.png" >"$scratch/out" 2>&1 && ! grep -i warning "$scratch/out" ||
  { cat "$scratch/out"; echo "FAIL  a picture from the cache is warned of"; exit 1; }
echo "ok    a picture is made from it without a warning"

sed 's/^flags.*/& another/' /proc/cpuinfo >"$scratch/cpuinfo"
! GYRE_CPUINFO=$scratch/cpuinfo cached || { echo "FAIL  another processor loads the cache"; exit 1; }
echo "ok    another processor does not load it"

for cache in "$repo"/target/gyre-*.aot; do
  cp "$cache" "$scratch/whole"
  head -c 100000 "$scratch/whole" >"$cache"
  if cached; then status=1; else status=0; fi
  cp "$scratch/whole" "$cache"
  [ "$status" -eq 0 ] || { echo "FAIL  a cache cut short is loaded"; exit 1; }
done
echo "ok    a cache cut short is not loaded, and Gyre runs"
