package dev.gyre.machine.assembler;

import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;

/**
 * Machine code that can lie anywhere: it refers to nothing outside itself but through its arguments.
 *
 * @param name what it does
 * @param lines what was assembled, in order
 */
public record Code(String name, List<Line> lines) {

    /**
     * One instruction, or a label (no bytes), or data.
     *
     * @param at offset from the beginning
     * @param text as assemblers write it
     */
    public record Line(int at, byte[] bytes, String text) {
        @Override
        public boolean equals(Object other) {
            return other instanceof Line line
                    && at == line.at
                    && Arrays.equals(bytes, line.bytes)
                    && text.equals(line.text);
        }

        @Override
        public int hashCode() {
            return 31 * Arrays.hashCode(bytes) + text.hashCode();
        }

        @Override
        public String toString() {
            return String.format("%6x: %-34s %s", at, HexFormat.ofDelimiter(" ").formatHex(bytes), text);
        }
    }

    /** How many bytes it has. */
    public int size() {
        return lines.stream().mapToInt(line -> line.bytes.length).sum();
    }

    /** The bytes themselves, a copy. */
    public byte[] bytes() {
        byte[] all = new byte[size()];
        for (Line line : lines) System.arraycopy(line.bytes, 0, all, line.at, line.bytes.length);
        return all;
    }

    /** Offsets, bytes and instructions, a line each. */
    public String listing() {
        StringBuilder text = new StringBuilder(name).append(", ").append(size()).append(" bytes\n");
        for (Line line : lines) text.append(line).append('\n');
        return text.toString();
    }
}
