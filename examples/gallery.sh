#!/bin/sh
# Draws the pictures of docs/gallery.md with the embedded model.
#
#   examples/gallery.sh [FOLDER]     where to (docs/gallery)
set -eu

home=$(CDPATH='' cd -P -- "$(dirname -- "$0")/.." && pwd -P)
to=${1:-$home/docs/gallery}
mkdir -p "$to"
cd "$to"

draw() { # NAME PROMPT OPTION…
  name=$1 prompt=$2
  shift 2
  "$home/gyre" "$prompt" "$@" --output "$name.png"
}

# From a prompt
draw heart "a red heart on a white background" --seed 2 --size 192x192
draw moon "a cyan moon at the top on a brown background" --seed 1 --size 192x192
draw two "a green heart and a purple square on a white background" --seed 3 --size 192x192

# Seeds in a row
draw seed "a blue ring on a pink background" --seed 10 --batch 4 --size 192x192

# Samplers beside each other
draw sampler-ddim "an orange hexagon on a green background" --seed 4 --size 192x192
draw sampler-euler-a "an orange hexagon on a green background" --seed 4 --sampler "Euler a" --size 192x192
draw sampler-dpmpp-2m "an orange hexagon on a green background" --seed 4 --sampler "DPM++ 2M Karras" --size 192x192
draw sampler-dpmpp-sde "an orange hexagon on a green background" --seed 4 --sampler "DPM++ SDE Karras" --size 192x192

# More and more steps
for steps in 5 10 40; do
  draw "steps-$steps" "a purple diamond on a yellow background" --seed 6 --steps "$steps" --size 192x192
done

# A picture to begin with
draw circle "a red circle on a blue background" --seed 42
for strength in 0.4 0.6 0.8; do
  draw "from-circle-$strength" "a yellow star on a blue background" --image circle.png --strength "$strength" --seed 1
done

# Inpainting: the mask is drawn, too
draw mask "a large white square on a black background" --seed 3
draw inpainted "a green cross on a blue background" --image circle.png --mask mask.png --strength 1 --seed 1

# Outpainting
draw outpainted "a red circle on a blue background" --image circle.png --outpaint 32,0,32,0 --seed 1

# A second pass
draw hires "a red heart on a white background" --seed 2 --hires 1.5 --hires-strength 0.5 --hires-upscaler lanczos

# A picture that continues at its opposite edges
draw tile "a small pink circle on a green background" --seed 5 --seamless

# A prompt that alternates
draw alternating "a red [circle|square] on a white background" --seed 8 --size 192x192

# The same again
"$home/gyre" remake two.png --output two-again.png
cmp two.png two-again.png
rm two-again.png
