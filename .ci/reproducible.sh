#!/bin/sh
# Builds what is published twice, in two folders, and compares the files: jars of classes, sources and documentation, and the
# distribution's archives. For whoever publishes: it takes two builds' time. Arguments are options for Maven, as -pl core -am.
set -eu

repo=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Paths of different lengths: what keeps one differs.
one=$scratch/a two="$scratch/another folder/further down/b"
mkdir -p "$one" "$two"
(cd "$repo" && git ls-files -z -co --exclude-standard | tar --null -T - -cf -) >"$scratch/sources.tar"
for copy in "$one" "$two"; do
  tar -xf "$scratch/sources.tar" -C "$copy"
  mvn -q -B -ntp -f "$copy/pom.xml" -Prelease -Dmaven.test.skip=true -Dspotless.check.skip=true -Dcheckstyle.skip=true package "$@"
  (cd "$copy" && find . -path '*/target/*' ! -path '*/target/lib/*' \( -name '*.jar' -o -name '*.zip' -o -name '*.tar.gz' \) \
    -exec sha256sum {} + | sort -k 2) >"$copy.sums"
done

[ -s "$one.sums" ] || { echo "FAIL  nothing was built"; exit 1; }
diff "$one.sums" "$two.sums" || { echo "FAIL  two builds differ"; exit 1; }
echo "ok    two builds in different folders give the same $(grep -c . "$one.sums") files"
