#!/bin/sh
# Measures every figure that the documentation gives, and writes the tables of docs/performance.md and README.md, with the date, the
# processor and all versions. Keep the machine otherwise idle: with a full-size model and PyTorch this takes about an hour on two cores.
#
#   bench/figures.sh [OPTION VALUE]…
#
#   --python PYTHON    a Python with torch and diffusers to measure beside; without it those tables are left out, by name
#   --model FILE       a full-size checkpoint (default: one of hashed weights is written to target/, 2.1 GB), or "embedded"
#   --files A.md,B.md  the documents (docs/performance.md,README.md)
#   --skip A,B         parts to leave out: model, start, savings, peers
#   --size, --steps, --runs, --seconds, --threads, --types, --only: see dev.gyre.bench.Figures and dev.gyre.bench.Peers
#
#   LIBTORCH=1         measure beside libtorch in the same JVM, too; Maven downloads it (300 MB)
#
# A first try that leaves the documentation alone:
#
#   cp docs/performance.md /tmp && bench/figures.sh --files /tmp/performance.md --model embedded --size 64x64 --steps 1 --runs 1 \
#     --seconds 0.1 --only "linear 2 320"
set -eu

cd "$(dirname -- "$0")/.."
model='' files='' value=''
for argument; do
  case $value in
    --model) model=$argument ;;
    --files) files=$argument ;;
  esac
  value=$argument
done

# The launcher builds the command line, and knows where a JDK is.
./gyre --version >/dev/null
jdk=$(GYRE_JAVA_OPTS=-XshowSettings:properties ./gyre --version 2>&1 | sed -n 's/^ *java\.home = //p')
JAVA_HOME=$jdk mvn -q -B ${LIBTORCH:+-Ppeers} -Dmaven.test.skip=true -Dspotless.check.skip=true -pl bench -am package

if [ -z "$model" ]; then
  model=target/sd15-synth.safetensors
  [ -e "$model" ] || ./gyre synth "$model"
fi
revision=$(git describe --always --dirty 2>/dev/null || echo "no repository")
exec "$jdk/bin/java" -XX:+UseParallelGC --add-modules jdk.incubator.vector --enable-native-access=ALL-UNNAMED \
  -DDJL_CACHE_DIR=bench/target/djl -cp "bench/target/classes:bench/target/lib/*" dev.gyre.bench.Figures \
  --revision "$(./gyre --version), $revision" "$@" --model "$model" --files "${files:-docs/performance.md,README.md}"
