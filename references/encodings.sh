#!/bin/sh
# Makes encodings.tsv.gz: instruction, tab, the bytes that GNU as gives it.
#
# usage: references/encodings.sh [OUT]    from the project's root, with GNU binutils (2.40) and a JDK 25 on the PATH,
#                                         after mvn -pl machine -am test-compile
set -eu
out=${1:-$(python3 -c "from references.places import ENCODINGS; print(ENCODINGS)")}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
java -cp machine/target/classes:machine/target/test-classes dev.gyre.machine.assembler.Encodings >"$work/lines"
# Every instruction has 16 bytes of room; its length goes to a section of its own.
{
  echo ".intel_syntax noprefix"
  awk '{print ".p2align 4\n1:"; print; print "2:\n.pushsection .len\n.byte 2b-1b\n.popsection"}' "$work/lines"
  echo ".p2align 4"
} >"$work/all.s"
as --64 -o "$work/all.o" "$work/all.s"
for section in text len; do objcopy -O binary -j .$section --set-section-flags .$section=alloc "$work/all.o" "$work/$section"; done
od -An -v -tx1 -w16 "$work/text" | tr -d ' ' >"$work/bytes"
od -An -v -tu1 -w1 "$work/len" | tr -d ' ' >"$work/lengths"
paste "$work/lines" "$work/bytes" "$work/lengths" | awk -F'\t' '{print $1 "\t" substr($2, 1, 2 * $3)}' | gzip -9n >"$out"
