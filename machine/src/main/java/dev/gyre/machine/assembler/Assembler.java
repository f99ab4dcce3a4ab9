package dev.gyre.machine.assembler;

import dev.gyre.machine.assembler.Code.Line;
import dev.gyre.machine.assembler.Instruction.Form;
import dev.gyre.machine.assembler.Instruction.Prefix;
import dev.gyre.machine.assembler.Operand.Address;
import dev.gyre.machine.assembler.Operand.Immediate;
import dev.gyre.machine.assembler.Operand.Mask;
import dev.gyre.machine.assembler.Operand.Register;
import dev.gyre.machine.assembler.Operand.Tile;
import dev.gyre.machine.assembler.Operand.Vector;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Assembles instructions for x86-64, keeping the text of each. It knows the few that kernels need; operands are in
 * Intel's order, the destination first.
 */
public final class Assembler {
    /** A jump target. */
    public static final class Label {
        private final String name;
        private int at = -1;

        private Label(String name) {
            this.name = name;
        }
    }

    /** Conditions of jumps after a comparison of signed integers, or of a result with zero. */
    public enum Condition {
        ZERO(0x4, "je"),
        NOT_ZERO(0x5, "jne"),
        LESS(0xC, "jl"),
        NOT_LESS(0xD, "jge"),
        ABOVE_ZERO(0xF, "jg");

        private final int bits;
        private final String mnemonic;

        Condition(int bits, String mnemonic) {
            this.bits = bits;
            this.mnemonic = mnemonic;
        }
    }

    private record Jump(int line, int end, Label to) {}

    private final List<Line> lines = new ArrayList<>();
    private final List<Jump> forward = new ArrayList<>();
    private int at;
    private int labels;

    /** @throws IllegalStateException when a jump's label was never bound */
    public Code code(String name) {
        for (Jump jump : forward) {
            if (jump.to.at < 0) throw new IllegalStateException(name + ": label " + jump.to.name + " is not bound");
            byte[] bytes = lines.get(jump.line).bytes();
            little(bytes, bytes.length - 4, jump.to.at - jump.end);
        }
        return new Code(name, List.copyOf(lines));
    }

    // --- jumps
    // --------------------------------------------------------------------------------------------------------

    /** A label to be bound later. */
    public Label label(String name) {
        return new Label(name + labels++);
    }

    /** A label bound here. */
    public Label here(String name) {
        Label label = label(name);
        bind(label);
        return label;
    }

    public void bind(Label label) {
        if (label.at >= 0) throw new IllegalStateException("label " + label.name + " is bound twice");
        label.at = at;
        lines.add(new Line(at, new byte[0], label.name + ":"));
    }

    public void jump(Label to) {
        jump("jmp", to, new int[] {0xEB}, new int[] {0xE9});
    }

    public void jump(Condition condition, Label to) {
        jump(condition.mnemonic, to, new int[] {0x70 | condition.bits}, new int[] {0x0F, 0x80 | condition.bits});
    }

    /** Uses an 8-bit displacement where it is known and fits, otherwise a 32-bit one. */
    private void jump(String mnemonic, Label to, int[] near, int[] far) {
        String text = mnemonic + " " + to.name;
        int back = to.at - (at + near.length + 1);
        if (to.at >= 0 && back >= -128) emit(text, new Bytes().put(near).put(back));
        else {
            emit(text, new Bytes().put(far).little(0));
            if (to.at >= 0) little(lines.get(lines.size() - 1).bytes(), far.length, to.at - at);
            else forward.add(new Jump(lines.size() - 1, at, to));
        }
    }

    public void ret() {
        emit("ret", 0xC3);
    }

    // --- general registers
    // --------------------------------------------------------------------------------------------

    public void mov(Register to, Register from) {
        registers("mov", 0x89, to, from);
    }

    /** Sign-extends the number to 64 bits. */
    public void mov(Register to, int number) {
        Bytes bytes = new Bytes();
        bytes.put(0x48 | to.ordinal() >> 3, 0xC7, 0xC0 | to.ordinal() & 7).little(number);
        emit("mov " + to + ", " + number, bytes);
    }

    public void mov(Register to, Address from) {
        memory("mov " + to + ", " + from, 1, 0x8B, to.ordinal(), from);
    }

    public void mov(Address to, Register from) {
        memory("mov " + to + ", " + from, 1, 0x89, from.ordinal(), to);
    }

    /** Stores the lower 32 bits. */
    public void mov32(Address to, Register from) {
        memory("mov " + to + ", " + from.half(), 0, 0x89, from.ordinal(), to);
    }

    /** Stores 32 bits. */
    public void mov32(Address to, int number) {
        memory("mov dword ptr " + to + ", " + number, 0, 0xC7, 0, to, number);
    }

    public void lea(Register to, Address from) {
        memory("lea " + to + ", " + from, 1, 0x8D, to.ordinal(), from);
    }

    /** Prefetches into the L1 cache. Any address is valid. */
    public void prefetch(Address from) {
        memory("prefetcht0 " + from, 0, new int[] {0x0F, 0x18}, 1, from);
    }

    public void add(Register to, Register more) {
        registers("add", 0x01, to, more);
    }

    public void add(Register to, int number) {
        number("add", 0, to, number);
    }

    public void sub(Register to, Register less) {
        registers("sub", 0x29, to, less);
    }

    public void sub(Register to, int number) {
        number("sub", 5, to, number);
    }

    public void and(Register to, int number) {
        number("and", 4, to, number);
    }

    public void cmp(Register a, int number) {
        number("cmp", 7, a, number);
    }

    public void cmp(Register a, Register b) {
        registers("cmp", 0x39, a, b);
    }

    public void test(Register a, Register b) {
        registers("test", 0x85, a, b);
    }

    public void shl(Register to, int bits) {
        shift("shl", 0xE0, to, bits);
    }

    public void shr(Register to, int bits) {
        shift("shr", 0xE8, to, bits);
    }

    private void shift(String mnemonic, int field, Register to, int bits) {
        Bytes bytes = new Bytes();
        bytes.put(0x48 | to.ordinal() >> 3, bits == 1 ? 0xD1 : 0xC1, field | to.ordinal() & 7);
        if (bits != 1) bytes.put(bits);
        emit(mnemonic + " " + to + ", " + bits, bytes);
    }

    public void push(Register from) {
        if (from.ordinal() < 8) emit("push " + from, 0x50 | from.ordinal());
        else emit("push " + from, 0x41, 0x50 | from.ordinal() & 7);
    }

    public void pop(Register to) {
        if (to.ordinal() < 8) emit("pop " + to, 0x58 | to.ordinal());
        else emit("pop " + to, 0x41, 0x58 | to.ordinal() & 7);
    }

    public void cpuid() {
        emit("cpuid", 0x0F, 0xA2);
    }

    public void xgetbv() {
        emit("xgetbv", 0x0F, 0x01, 0xD0);
    }

    public void vzeroupper() {
        emit("vzeroupper", 0xC5, 0xF8, 0x77);
    }

    /** Data after the code, where no instruction follows: floats. */
    public void floats(float... values) {
        for (float value : values) {
            Bytes bytes = new Bytes();
            bytes.little(Float.floatToRawIntBits(value));
            emit(".float " + value, bytes);
        }
    }

    /** Likewise, 32-bit integers. */
    public void ints(int... values) {
        for (int value : values) {
            Bytes bytes = new Bytes();
            bytes.little(value);
            emit(".int " + value, bytes);
        }
    }

    /** The address of a label that is bound later. */
    public void lea(Register to, Label label) {
        emit(
                "lea " + to + ", [rip+" + label.name + "]",
                0x48 | (to.ordinal() >> 3) << 2,
                0x8D,
                0x05 | (to.ordinal() & 7) << 3,
                0,
                0,
                0,
                0);
        forward.add(new Jump(lines.size() - 1, at, label));
    }

    // --- vectors and tiles
    // --------------------------------------------------------------------------------------------

    /** An instruction of {@link Instruction} with its operands, the destination first. */
    public void op(Instruction instruction, Operand... operands) {
        String text = operands.length == 0
                ? instruction.mnemonic()
                : instruction.mnemonic() + " "
                        + Arrays.stream(operands)
                                .map(o -> instruction == Instruction.BZHI || instruction == Instruction.KMOVW
                                        ? half(o)
                                        : o.toString())
                                .collect(Collectors.joining(", "));
        int last = operands.length - 1;
        Integer number = last >= 0 && operands[last] instanceof Immediate immediate ? immediate.value() : null;
        // Assigns the operands to the three fields of the encoding.
        Operand reg = null, vvvv = null, rm = null;
        switch (instruction.form) {
            case LOAD, BROADCAST, MASK -> {
                reg = operands[0];
                rm = operands[1];
            }
            case STORE -> {
                rm = operands[0];
                reg = operands[1];
            }
            case MASKED_STORE -> {
                rm = operands[0];
                vvvv = operands[1];
                reg = operands[2];
            }
            case THREE -> {
                reg = operands[0];
                vvvv = operands[1];
                rm = operands[2];
            }
            case GENERAL, TILES -> {
                reg = operands[0];
                rm = operands[1];
                vvvv = operands[2];
            }
            case SHIFT -> {
                vvvv = operands[0];
                rm = operands[1];
            }
            case MEMORY -> rm = operands[0];
            case TILE -> reg = operands[0];
            case NONE -> {}
        }
        Bytes bytes = new Bytes();
        boolean evex = instruction.prefix == Prefix.EVEX
                || instruction.prefix == Prefix.BOTH && Arrays.stream(operands).anyMatch(Assembler::needsEvex);
        if (evex) evex(bytes, instruction, reg, vvvv, rm);
        else vex(bytes, instruction, reg, vvvv, rm);
        bytes.put(instruction.opcode);
        int field = instruction.form == Form.SHIFT ? 6 : reg == null ? 0 : number(reg) & 7;
        if (rm instanceof Address address)
            bytes.address(field, address, evex ? unit(instruction, reg, address) : 1, isTile(instruction));
        else bytes.put(0xC0 | field << 3 | (rm == null ? 0 : number(rm) & 7));
        if (number != null) bytes.put(number);
        emit(text, bytes);
    }

    private static boolean isTile(Instruction instruction) {
        return instruction == Instruction.TILELOADD || instruction == Instruction.TILESTORED;
    }

    private static String half(Operand operand) {
        return operand instanceof Register register ? register.half() : operand.toString();
    }

    private static boolean needsEvex(Operand operand) {
        return operand instanceof Vector v && (v.bits() == 512 || v.number() > 15 || v.mask() != 0)
                || operand instanceof Address a && (a.lanes() != 0 || a.mask() != 0);
    }

    private static int number(Operand operand) {
        return switch (operand) {
            case Register r -> r.ordinal();
            case Vector v -> v.number();
            case Mask m -> m.number();
            case Tile t -> t.number();
            case Address a -> 0;
            case Immediate i -> i.value();
        };
    }

    /** The unit in bytes of an 8-bit displacement. */
    private static int unit(Instruction instruction, Operand reg, Address address) {
        if (address.lanes() != 0 || instruction.form == Form.BROADCAST) return 4;
        return ((Vector) reg).bits() / 8;
    }

    private static int bits(Operand... operands) {
        for (Operand o : operands) if (o instanceof Vector v) return v.bits();
        return 128;
    }

    private static void vex(Bytes to, Instruction i, Operand reg, Operand vvvv, Operand rm) {
        int r = reg == null ? 0 : number(reg) >> 3 & 1, x = 0, b = 0;
        if (rm instanceof Address a) {
            b = a.base().ordinal() >> 3;
            x = a.index() == null ? 0 : a.index().ordinal() >> 3;
        } else if (rm != null) b = number(rm) >> 3 & 1;
        int length = bits(reg, vvvv, rm) == 256 ? 1 : 0;
        int tail = (~(vvvv == null ? 0 : number(vvvv)) & 15) << 3 | length << 2 | i.pp;
        if (x == 0 && b == 0 && i.map == 1 && i.w == 0) to.put(0xC5, (1 - r) << 7 | tail);
        else to.put(0xC4, (1 - r) << 7 | (1 - x) << 6 | (1 - b) << 5 | i.map, i.w << 7 | tail);
    }

    private static void evex(Bytes to, Instruction i, Operand reg, Operand vvvv, Operand rm) {
        int r = reg == null ? 0 : number(reg), v = vvvv == null ? 0 : number(vvvv), x, b, broadcast = 0;
        int mask = 0, zeroing = 0;
        for (Operand o : new Operand[] {reg, vvvv})
            if (o instanceof Vector vector && vector.mask() != 0) {
                mask = vector.mask();
                zeroing = vector.zeroing() ? 1 : 0;
            }
        if (rm instanceof Address a) {
            b = a.base().ordinal() >> 3;
            x = a.index() == null ? 0 : a.index().ordinal() >> 3;
            broadcast = a.lanes() == 0 ? 0 : 1;
            if (a.mask() != 0) mask = a.mask();
        } else {
            b = number(rm) >> 3 & 1;
            x = number(rm) >> 4 & 1;
        }
        int length = bits(reg, vvvv, rm) / 256; // 0, 1, 2 for 128, 256, 512
        to.put(0x62);
        to.put((~r >> 3 & 1) << 7 | (1 - x) << 6 | (1 - b) << 5 | (~r >> 4 & 1) << 4 | i.map);
        to.put(i.w << 7 | (~v & 15) << 3 | 4 | i.pp);
        to.put(zeroing << 7 | length << 5 | broadcast << 4 | (~v >> 4 & 1) << 3 | mask);
    }

    // --- bytes
    // --------------------------------------------------------------------------------------------------------

    private void registers(String mnemonic, int opcode, Register to, Register from) {
        int rex = 0x48 | (from.ordinal() >> 3) << 2 | to.ordinal() >> 3;
        emit(mnemonic + " " + to + ", " + from, rex, opcode, 0xC0 | (from.ordinal() & 7) << 3 | to.ordinal() & 7);
    }

    private void number(String mnemonic, int field, Register to, int number) {
        Bytes bytes = new Bytes();
        bytes.put(0x48 | to.ordinal() >> 3);
        boolean small = number == (byte) number;
        if (small) bytes.put(0x83, 0xC0 | field << 3 | to.ordinal() & 7, number);
        else if (to == Register.RAX) bytes.put(0x05 | field << 3).little(number);
        else bytes.put(0x81, 0xC0 | field << 3 | to.ordinal() & 7).little(number);
        emit(mnemonic + " " + to + ", " + number, bytes);
    }

    private void memory(String text, int wide, int opcode, int reg, Address address, int... number) {
        memory(text, wide, new int[] {opcode}, reg, address, number);
    }

    private void memory(String text, int wide, int[] opcode, int reg, Address address, int... number) {
        Bytes bytes = new Bytes();
        int index = address.index() == null ? 0 : address.index().ordinal() >> 3;
        int rex = wide << 3 | reg >> 3 << 2 | index << 1 | address.base().ordinal() >> 3;
        if (rex != 0) bytes.put(0x40 | rex);
        bytes.put(opcode).address(reg & 7, address, 1, false);
        for (int n : number) bytes.little(n);
        emit(text, bytes);
    }

    private void emit(String text, int... bytes) {
        emit(text, new Bytes().put(bytes));
    }

    private void emit(String text, Bytes bytes) {
        byte[] all = bytes.out.toByteArray();
        lines.add(new Line(at, all, text));
        at += all.length;
    }

    private static void little(byte[] to, int at, int number) {
        for (int i = 0; i < 4; i++) to[at + i] = (byte) (number >> 8 * i);
    }

    private static final class Bytes {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        Bytes put(int... bytes) {
            for (int b : bytes) out.write(b);
            return this;
        }

        Bytes little(int number) {
            return put(number, number >> 8, number >> 16, number >> 24);
        }

        /**
         * The ModRM byte, the SIB byte and the displacement.
         *
         * @param field the reg field of the ModRM byte
         * @param unit the unit of an 8-bit displacement
         * @param sib whether a SIB byte is required even without an index
         */
        void address(int field, Address a, int unit, boolean sib) {
            int base = a.base().ordinal() & 7, displacement = a.displacement();
            boolean small = displacement % unit == 0 && displacement / unit == (byte) (displacement / unit);
            // Without a displacement, the encoding of rbp and r13 has another meaning.
            int mode = displacement == 0 && base != 5 ? 0 : small ? 1 : 2;
            if (a.index() != null || base == 4 || sib) {
                int index = a.index() == null ? 4 : a.index().ordinal() & 7;
                put(mode << 6 | field << 3 | 4, Integer.numberOfTrailingZeros(a.scale()) << 6 | index << 3 | base);
            } else put(mode << 6 | field << 3 | base);
            if (mode == 1) put(displacement / unit);
            else if (mode == 2) little(displacement);
        }
    }
}
