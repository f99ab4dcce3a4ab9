#!/usr/bin/env bash
# All that Gyre can show on a device, in one go: the device, every kernel against its plain loops, the tests on the device (the
# embedded model's picture and the full-size references among them), and a step of the full-size UNet beside the JVM's and PyTorch's.
#
#   bench/gpu.sh [DEVICE]       DEVICE as `gyre devices` names it, else a GPU if there is one
#
#   TORNADOVM_HOME    TornadoVM's SDK
#   PEER_PYTHON       a Python with torch and diffusers, for PyTorch's times on the same device (left out: not measured)
#   PEER_DEVICE       cuda, or cpu where the device is a CPU (default: cuda if torch has it)
#   MODEL             a full-size checkpoint (default: one of hashed weights is written, 2.1 GB)
#   SHORT=1           leaves out the tests, which compile several networks
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
[ -n "${TORNADOVM_HOME:-}" ] || { echo "gpu.sh: set TORNADOVM_HOME to TornadoVM's SDK" >&2; exit 1; }
device=()
if [ $# -gt 0 ]; then device=(--device "$1"); fi

say() { printf '\n== %s\n\n' "$1"; }

say "Devices"
./gyre devices

say "Every kernel against its plain loops"
./gyre check ${device[@]+"${device[@]}"}

say "The embedded model's picture"
mkdir -p target
./gyre "a red circle on a blue background" --seed 42 --backend tornado ${device[@]+"${device[@]}"} --explain -o target/device.png
./gyre "a red circle on a blue background" --seed 42 -o target/jvm.png

if [ -z "${SHORT:-}" ]; then
  say "Tests on TornadoVM's first GPU or first device, full-size references among them"
  mvn -B -ntp -q -Plong -pl diffusion -am verify -Dspotless.check.skip -Dtest='*TornadoTest' -Dsurefire.failIfNoSpecifiedTests=false
fi

model=${MODEL:-target/sd15-synth.safetensors}
[ -e "$model" ] || ./gyre synth "$model"

say "A step and the decoding of the full-size model: device, weights as stored where it can"
./gyre bench --model "$model" --backend tornado ${device[@]+"${device[@]}"} --steps 3 --profile
say "The same with weights in 32 bits"
./gyre bench --model "$model" --backend tornado ${device[@]+"${device[@]}"} --steps 3 --f32
say "The same on the JVM"
./gyre bench --model "$model" --steps 3

if [ -n "${PEER_PYTHON:-}" ]; then
  peer=${PEER_DEVICE:-$("$PEER_PYTHON" -c 'import torch; print("cuda" if torch.cuda.is_available() else "cpu")')}
  say "PyTorch and diffusers on $peer: seconds of one guided step, three times each"
  types="fp32 fp16"
  if [ "$peer" = cpu ]; then types=fp32; fi
  for type in $types; do
    echo "$type:"
    for _ in 1 2 3; do echo "step 64 64 $type"; done |
      "$PEER_PYTHON" bench/src/main/resources/dev/gyre/bench/peer.py "$(nproc)" "$peer"
  done
fi
