package dev.gyre.machine.assembler;

import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;

/**
 * Position-independent machine code: it refers to nothing outside itself except through its arguments.
 *
 * @param name what it computes
 * @param lines the assembled lines, in order
 */
public record Code(String name, List<Line> lines) {

    /**
     * One instruction, label (no bytes) or datum.
     *
     * @param at offset from the beginning
     * @param text in assembler syntax
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

    /** Its size in bytes. */
    public int size() {
        return lines.stream().mapToInt(line -> line.bytes.length).sum();
    }

    /** A copy of its bytes. */
    public byte[] bytes() {
        byte[] all = new byte[size()];
        for (Line line : lines) System.arraycopy(line.bytes, 0, all, line.at, line.bytes.length);
        return all;
    }

    /** A listing: offset, bytes and text of each line. */
    public String listing() {
        StringBuilder text = new StringBuilder(name).append(", ").append(size()).append(" bytes\n");
        for (Line line : lines) text.append(line).append('\n');
        return text.toString();
    }
}
