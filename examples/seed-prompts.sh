#!/bin/sh
# Draws the model card's four example prompts.
#
#   examples/seed-prompts.sh MODEL [OUTDIR] [more gyre options]
#
# The pictures are 512x512 with seed 42, unless the options say otherwise.
set -eu

if [ $# -eq 0 ] || [ "$1" = -h ] || [ "$1" = --help ]; then
  echo "usage: $0 MODEL [OUTDIR] [more gyre options]" >&2
  echo "  MODEL   a checkpoint, for example v1-5-pruned.safetensors" >&2
  echo "  OUTDIR  the folder for the four pictures; made if it is missing; by default seed-prompts" >&2
  echo "  for example: $0 v1-5-pruned.safetensors pictures --steps 30" >&2
  if [ $# -eq 0 ]; then exit 2; else exit 0; fi
fi

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
model=$1
shift
if ! [ -f "$model" ]; then
  echo "$0: there is no model file $model" >&2
  exit 1
fi
outdir="seed-prompts"
case ${1:--} in
  -*) ;; # an option, or nothing
  *)
    outdir=$1
    shift
    ;;
esac
mkdir -p -- "$outdir"

# An option may be given to gyre once only, so the defaults stand back where the user names their own.
size=512x512
seed=42
for option in "$@"; do
  case $option in
    --size | --size=*) size= ;;
    --seed | --seed=*) seed= ;;
  esac
done
if [ -n "$size" ]; then set -- --size "$size" "$@"; fi
if [ -n "$seed" ]; then set -- --seed "$seed" "$@"; fi

# draw NAME PROMPT [options]
draw() {
  name=$1
  prompt=$2
  shift 2
  echo "$outdir/$name.png: $prompt" >&2
  "$here/../gyre" "$prompt" --model "$model" --output "$outdir/$name.png" "$@"
}

draw iron-man "Iron man portrait, highly detailed, science fiction landscape, art style by klimt and nixeu and ian sprigger and wlop and krenz cushart" "$@"
draw panda "Low polygon panda 3d" "$@"
draw rick-and-morty "3d hiper-realistic rick sanchez and morty" "$@"
draw synthwave "Synthwave brad pitt wearing headphones, animated, trending on artstation, portrait" "$@"
