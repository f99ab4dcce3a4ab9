#!/bin/sh
# Measures Gyre beside PyTorch on this machine and writes the tables of docs/performance.md, between its two markers.
#
#   bench/figures.sh [--python PYTHON] [--model FILE] [--types fp32,bf16] [--only REGEX] [--seconds S] [--threads N] [--file DOC]
#
#   --python   a Python with torch, and with diffusers for the whole step and decoding (python3)
#   --model    a full-size checkpoint: `./gyre synth sd15.safetensors` writes one (none: shapes alone)
#   --types    what products multiply (fp32); bf16 needs AVX512-BF16 or AMX
#   --only     shapes whose text this is found in, as "linear" or "step" (all)
#   --seconds  spent on each shape (3)
#   --threads  of both (one for each processor)
#   --file     the document to write (docs/performance.md)
#
# Keep the machine quiet: about 10 minutes for each type, and 10 more with --model.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
python=python3 model='' types=fp32 only='' seconds=3 threads='' file=$root/docs/performance.md
while [ $# -gt 0 ]; do
  [ $# -gt 1 ] || { echo "figures: $1 needs a value" >&2; exit 2; }
  case $1 in
    --python) python=$2 ;;
    --model) model=$2 ;;
    --types) types=$2 ;;
    --only) only=$2 ;;
    --seconds) seconds=$2 ;;
    --threads) threads=$2 ;;
    --file) file=$2 ;;
    *) echo "figures: there is no option $1" >&2; exit 2 ;;
  esac
  shift 2
done
grep -q '^<!-- figures -->$' "$file" && grep -q '^<!-- end of figures -->$' "$file" || {
  echo "figures: $file lacks the markers <!-- figures --> and <!-- end of figures -->" >&2
  exit 1
}
versions=$("$python" - <<'PYTHON'
import importlib, platform
found = ["Python " + platform.python_version()]
for name in ("torch", "diffusers"):
    try:
        found.append(name + " " + importlib.import_module(name).__version__)
    except ImportError:
        found.append("no " + name)
print(", ".join(found))
PYTHON
) || { echo "figures: $python does not run" >&2; exit 1; }
case $versions in *"no torch"*) echo "figures: $python has no torch" >&2; exit 1 ;; esac

"$root/gyre" --version >/dev/null # builds what is not built
java=
for jdk in "${JAVA_HOME:-/nonexistent}" /usr/lib/jvm/*; do
  if [ -z "$java" ] && grep -q '^JAVA_VERSION="\(2[5-9]\|[3-9][0-9]\)' "$jdk/release" 2>/dev/null; then java=$jdk/bin/java; fi
done
[ -n "$java" ] || { echo "figures: set JAVA_HOME to a JDK 25" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

set -- --peer-python "$python" --types "$types" --seconds "$seconds" --output md
[ -z "$only" ] || set -- "$@" --only "$only"
[ -z "$threads" ] || set -- "$@" --threads "$threads"
case $versions in *"no diffusers"*) echo "figures: no diffusers, so no step and no decoding beside it" >&2; model='' ;; esac
[ -z "$model" ] || set -- "$@" --model "$model"
"$java" --add-modules jdk.incubator.vector --enable-native-access=ALL-UNNAMED -cp "$root/cli/target/lib/*:$root/bench/target/classes" \
  dev.gyre.bench.Peers "$@" >"$work/table" 2>"$work/log" || { cat "$work/log" >&2; exit 1; }
awk '/^$/ { means = 1; next } { print >(means ? MEANS : SHAPES) }' MEANS="$work/means" SHAPES="$work/shapes" "$work/table"

{
  echo
  echo "Measured on $(date -u +%Y-%m-%d) by \`bench/figures.sh\`: $(head -n 1 "$work/log"); $versions."
  echo
  echo "How many times faster Gyre is, in turn in one run; medians, and geometric means over the shapes:"
  echo
  cat "$work/means"
  echo
  echo "Every shape:"
  echo
  cat "$work/shapes"
  echo
} >"$work/figures"
awk -v figures="$work/figures" '
  /^<!-- figures -->$/ { print; while ((getline line <figures) > 0) print line; skip = 1 }
  /^<!-- end of figures -->$/ { skip = 0 }
  !skip' "$file" >"$work/document"
cat "$work/document" >"$file"
echo "figures: wrote $file"
