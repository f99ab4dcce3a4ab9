#!/usr/bin/env bash
# All that Gyre can show on a device, in one go: the device and what it can do at most, every kernel against its plain loops, the
# embedded model's picture, the tests on the device (the full-size references among them), and a step of the full-size UNet beside the
# JVM's and PyTorch's. What the device lacks is left out by name; a summary comes last, and the status is 1 if anything failed.
# Nothing is fetched: Maven works offline, with what an earlier build left in its cache.
#
#   bench/gpu.sh [DEVICE]       DEVICE as `gyre devices` names it, else a GPU if there is one
#
#   TORNADOVM_HOME    TornadoVM's SDK
#   PEER_PYTHON       a Python with torch and diffusers, for PyTorch's times on the same device
#   PEER_DEVICE       cuda, or cpu where the device is a CPU (default: cuda if torch has it)
#   MODEL             a full-size checkpoint (default: one of hashed weights is written, 2.1 GB)
#   STEPS             steps of it to time (3)
#   SHORT             1 leaves out the tests, which compile several networks; 2 the full-size model too
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
fail() {
  echo "gpu.sh: $1" >&2
  exit 1
}
[ -n "${TORNADOVM_HOME:-}" ] || fail "set TORNADOVM_HOME to TornadoVM's SDK"
out=target/gpu
mkdir -p "$out"
summary=()
failed=0

say() { printf '\n== %s\n\n' "$1"; }
note() { summary+=("$(printf '%-9s%s' "$1" "$2")"); }

# Runs a command under a title; what it prints is kept in a file as well.
try() { # FILE TITLE COMMAND…
  local file=$out/$1 title=$2 start=$SECONDS
  shift 2
  say "$title"
  if "$@" 2>&1 | tee "$file"; then note ok "$title ($((SECONDS - start)) s)"; else
    note FAILED "$title; see $file"
    failed=1
    return 1
  fi
}

# A cell of a table that gyre printed: the first row in which column KEY is VALUE; any row where VALUE is empty.
cell() { # FILE COLUMN [KEY VALUE]
  awk -F' *[|] *' -v want="$2" -v key="${3:-}" -v value="${4:-}" '
    !/^[|]/ || /^[|]:?-/ { next }
    !names { for (i = 2; i < NF; i++) at[$i] = i; names = at[want]; next }
    value == "" || $at[key] == value { print $at[want]; exit }' "$1"
}

try devices "The devices, and what they can do at most" ./gyre devices --measure || fail "without a device there is nothing to try"
id=${1:-$(cell "$out/devices" device kind GPU)}
id=${id:-$(cell "$out/devices" device)}
kind=$(cell "$out/devices" kind device "$id")
[ -n "$kind" ] || fail "device ${id:-of any kind}: not among those listed above"
language=$(cell "$out/devices" language device "$id") f16=$(cell "$out/devices" f16 device "$id")
note "" "device $id: $(cell "$out/devices" name device "$id"), $language, $kind, 16-bit floats: $f16"
note "" "at most $(cell "$out/devices" GFLOP/s device "$id") GFLOP/s, $(cell "$out/devices" GB/s device "$id") GB/s copied, $(
  cell "$out/devices" 'µs a task' device "$id") µs a task"
on=(--backend tornado --device "$id")

try check "Every kernel against its plain loops" ./gyre check --device "$id"
if [ "$f16" = yes ]; then
  try check-f32 "The same, weights in 32 bits" ./gyre check --device "$id" --f32
else
  note skipped "kernels for weights in 16 bits: the device has no such floats"
fi
case $language in
  CUDA) asked=(tensor-core vendor) ;;
  PTX) asked=(tensor-core) ;;
  *)
    asked=()
    note skipped "PTX and CUDA, and with them tensor cores, cuBLAS and cuDNN: the device is reached by $language"
    ;;
esac
for kernels in ${asked[@]+"${asked[@]}"}; do
  try "check-$kernels" "The same, --kernels $kernels" ./gyre check --device "$id" --kernels "$kernels"
done

try device-picture "The embedded model's picture on the device" \
  ./gyre "a red circle on a blue background" --seed 42 "${on[@]}" --explain -o "$out/device.png"
try jvm-picture "The same on the JVM" ./gyre "a red circle on a blue background" --seed 42 -o "$out/jvm.png"
note "" "look at $out/device.png beside $out/jvm.png"
for kernels in ${asked[@]+"${asked[@]}"}; do
  try "$kernels-picture" "The same on the device, --kernels $kernels" \
    ./gyre "a red circle on a blue background" --seed 42 "${on[@]}" --kernels "$kernels" -o "$out/$kernels.png"
done

if [ "${SHORT:-0}" -ge 1 ]; then note skipped "tests, full-size references among them: SHORT=$SHORT"; else
  [ "$id" = "$(cell "$out/devices" device kind GPU)" ] || [ "$id" = "$(cell "$out/devices" device)" ] ||
    note "" "tests take TornadoVM's first GPU or first device, not $id"
  try tests "Tests on the device, full-size references among them" mvn -o -B -ntp -q -Plong -pl diffusion -am verify \
    -Dspotless.check.skip -Dtest='*TornadoTest' -Dsurefire.failIfNoSpecifiedTests=false
fi

# Times a step of the full-size model and notes it.
step() { # FILE TITLE OPTIONS…
  local file=$1 title=$2
  shift 2
  if try "$file" "$title" ./gyre bench --model "$model" --steps "${STEPS:-3}" "$@"; then
    note "" "$(cell "$out/$file" s/step) s a step, $(cell "$out/$file" 'decode s') s to decode, $(cell "$out/$file" GFLOP/s) GFLOP/s"
  fi
}

if [ "${SHORT:-0}" -ge 2 ]; then note skipped "the full-size model: SHORT=$SHORT"; else
  model=${MODEL:-target/sd15-synth.safetensors}
  [ -e "$model" ] || try synth "A full-size checkpoint of hashed weights" ./gyre synth "$model"
  if [ "$f16" = yes ]; then
    step step-f16 "The full-size model on the device, weights as stored" "${on[@]}" --profile
  fi
  step step-f32 "The full-size model on the device, weights in 32 bits" "${on[@]}" --f32 --profile
  for kernels in ${asked[@]+"${asked[@]}"}; do
    step "step-$kernels" "The full-size model on the device, --kernels $kernels" "${on[@]}" --kernels "$kernels" --profile
  done
  step step-jvm "The full-size model on the JVM"

  if [ -z "${PEER_PYTHON:-}" ]; then note skipped "PyTorch: PEER_PYTHON is not set"; else
    peer=${PEER_DEVICE:-$("$PEER_PYTHON" -c 'import torch; print("cuda" if torch.cuda.is_available() else "cpu")')}
    for type in fp32 fp16; do
      if [ "$peer $type" = "cpu fp16" ]; then
        note skipped "PyTorch in fp16: it runs on the CPU here"
        continue
      fi
      ask() {
        for _ in 1 2 3; do echo "step 64 64 $type"; done |
          "$PEER_PYTHON" bench/src/main/resources/dev/gyre/bench/peer.py "$(nproc)" "$peer"
      }
      ours=$out/step-f32
      if [ "$type" = fp16 ] && [ -e "$out/step-f16" ]; then ours=$out/step-f16; fi
      if try "peer-$type" "PyTorch and diffusers on $peer, $type: seconds of one guided step, three times" ask; then
        note "" "$(sort -k 2 -g "$out/peer-$type" | awk -v ours="$(cell "$ours" s/step)" '
          $1 == "seconds" { t[n++] = $2 }
          END { printf "PyTorch %.3g s a step; Gyre on the device takes %.3g times as long", t[int(n / 2)], ours / t[int(n / 2)] }')"
      fi
    done
  fi
fi

say "Summary"
printf '%s\n' "${summary[@]}"
exit "$failed"
