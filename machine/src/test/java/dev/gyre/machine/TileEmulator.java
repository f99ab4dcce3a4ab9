package dev.gyre.machine;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Runs a listing on paper: general registers, a little memory from address 0 on, and AMX's tiles with their shapes as Intel's manual
 * describes them. For processors without AMX; speed is no concern.
 */
final class TileEmulator {
    private static final Pattern ADDRESS = Pattern.compile("\\[(\\w+)(?:\\+(\\w+)\\*(\\d))?([+-]\\d+)?]");

    final ByteBuffer memory;
    private final Map<String, Long> registers = new HashMap<>();
    private final byte[][] tiles = new byte[8][];
    private final int[] rows = new int[8];
    private final int[] bytes = new int[8];
    private long outcome; // of the last comparison or calculation
    private boolean configured;

    TileEmulator(int size) {
        memory = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Calls the code with System V's registers; the stack grows down from the memory's end. */
    void call(Code code, long... arguments) {
        String[] order = {"rdi", "rsi", "rdx", "rcx", "r8", "r9"};
        for (Operand.Register r : Operand.Register.values()) registers.put(r.toString(), 0xDEADBEEFL);
        for (int i = 0; i < arguments.length; i++) registers.put(order[i], arguments[i]);
        long top = memory.capacity() - 8;
        registers.put("rsp", top);
        Map<String, Integer> labels = new HashMap<>();
        List<Code.Line> lines = code.lines();
        for (int i = 0; i < lines.size(); i++)
            if (lines.get(i).text().endsWith(":"))
                labels.put(lines.get(i).text().replace(":", ""), i);
        for (int i = 0; ; i++) {
            String text = lines.get(i).text();
            if (text.endsWith(":")) continue;
            String[] words = text.replaceFirst(" ", ", ").split(", ");
            if (words[0].equals("ret")) break;
            if (words[0].startsWith("j")) {
                boolean taken =
                        switch (words[0]) {
                            case "jmp" -> true;
                            case "je" -> outcome == 0;
                            case "jne" -> outcome != 0;
                            case "jl" -> outcome < 0;
                            case "jge" -> outcome >= 0;
                            default -> throw new IllegalStateException(text);
                        };
                if (taken) i = labels.get(words[1]);
            } else step(words, text);
        }
        if (registers.get("rsp") != top) throw new IllegalStateException("the stack is not as it was");
        for (String saved : List.of("rbx", "rbp", "r12", "r13", "r14", "r15"))
            if (registers.get(saved) != 0xDEADBEEFL) throw new IllegalStateException(saved + " is not as it was");
        if (configured) throw new IllegalStateException("tiles were not released");
    }

    private void step(String[] w, String text) {
        switch (w[0]) {
            case "push" -> {
                registers.merge("rsp", -8L, Long::sum);
                memory.putLong((int) value("rsp"), value(w[1]));
            }
            case "pop" -> {
                registers.put(w[1], memory.getLong((int) value("rsp")));
                registers.merge("rsp", 8L, Long::sum);
            }
            case "mov" -> {
                if (w[1].startsWith("dword ptr ")) memory.putInt(address(w[1].substring(10)), Integer.parseInt(w[2]));
                else if (w[1].startsWith("[")) memory.putInt(address(w[1]), (int) value(w[2]));
                else registers.put(w[1], value(w[2]));
            }
            case "lea" -> registers.put(w[1], (long) address(w[2]));
            case "add" -> set(w[1], value(w[1]) + value(w[2]));
            case "sub" -> set(w[1], value(w[1]) - value(w[2]));
            case "shl" -> set(w[1], value(w[1]) << value(w[2]));
            case "test" -> outcome = value(w[1]) & value(w[2]);
            case "ldtilecfg" -> configure(address(w[1]));
            case "tilerelease" -> configured = false;
            case "tilezero" -> tiles[tile(w[1])] = new byte[1024];
            case "tileloadd" -> move(tile(w[1]), w[2], true);
            case "tilestored" -> move(tile(w[2]), w[1], false);
            case "tdpbf16ps" -> multiply(tile(w[1]), tile(w[2]), tile(w[3]));
            default -> throw new IllegalStateException("no emulation of " + text);
        }
    }

    private void set(String register, long value) {
        registers.put(register, outcome = value);
    }

    private long value(String operand) {
        if (registers.containsKey(operand)) return registers.get(operand);
        if (operand.startsWith("e") || operand.endsWith("d")) {
            String whole = operand.startsWith("e") ? "r" + operand.substring(1) : operand.replace("d", "");
            if (registers.containsKey(whole)) return registers.get(whole) & 0xFFFFFFFFL;
        }
        return Long.parseLong(operand);
    }

    private int address(String text) {
        Matcher m = ADDRESS.matcher(text);
        if (!m.matches()) throw new IllegalStateException(text);
        long at = value(m.group(1));
        if (m.group(2) != null) at += value(m.group(2)) * Integer.parseInt(m.group(3));
        return Math.toIntExact(at + (m.group(4) == null ? 0 : Integer.parseInt(m.group(4))));
    }

    private int tile(String name) {
        if (!configured) throw new IllegalStateException(name + " before ldtilecfg");
        return name.charAt(3) - '0';
    }

    private void configure(int at) {
        if (memory.get(at) != 1) throw new IllegalStateException("palette " + memory.get(at));
        for (int t = 0; t < 8; t++) {
            bytes[t] = memory.getShort(at + 16 + 2 * t);
            rows[t] = memory.get(at + 48 + t);
            if (bytes[t] > 64 || rows[t] > 16 || bytes[t] < 1 || rows[t] < 1)
                throw new IllegalStateException("tile " + t + " of " + rows[t] + " rows of " + bytes[t] + " bytes");
            tiles[t] = new byte[1024];
        }
        configured = true;
    }

    /** The index is the distance between rows. */
    private void move(int t, String place, boolean load) {
        Matcher m = ADDRESS.matcher(place);
        if (!m.matches() || m.group(2) == null) throw new IllegalStateException(place);
        int stride = (int) value(m.group(2)), base = address(place) - stride;
        if (load) tiles[t] = new byte[1024];
        for (int row = 0; row < rows[t]; row++)
            for (int i = 0; i < bytes[t]; i++) {
                int at = base + row * stride + i;
                if (load) tiles[t][row * 64 + i] = memory.get(at);
                else memory.put(at, tiles[t][row * 64 + i]);
            }
    }

    private void multiply(int c, int a, int b) {
        if (rows[a] != rows[c] || bytes[b] != bytes[c] || bytes[a] != 4 * rows[b])
            throw new IllegalStateException("shapes do not fit: tiles " + c + ", " + a + ", " + b);
        ByteBuffer to = ByteBuffer.wrap(tiles[c]).order(ByteOrder.LITTLE_ENDIAN);
        for (int m = 0; m < rows[c]; m++)
            for (int k = 0; k < bytes[a] / 4; k++)
                for (int n = 0; n < bytes[c] / 4; n++)
                    for (int half = 0; half < 2; half++) {
                        int at = m * 64 + n * 4;
                        float x = bf16(tiles[a], m * 64 + k * 4 + half * 2),
                                y = bf16(tiles[b], k * 64 + n * 4 + half * 2);
                        to.putFloat(at, to.getFloat(at) + x * y);
                    }
    }

    private static float bf16(byte[] from, int at) {
        return Float.intBitsToFloat((from[at] & 0xFF | from[at + 1] << 8) << 16);
    }
}
