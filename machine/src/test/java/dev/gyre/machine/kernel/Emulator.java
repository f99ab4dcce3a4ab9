package dev.gyre.machine.kernel;

import static dev.gyre.machine.assembler.Operand.Register.R12;
import static dev.gyre.machine.assembler.Operand.Register.R13;
import static dev.gyre.machine.assembler.Operand.Register.R14;
import static dev.gyre.machine.assembler.Operand.Register.R15;
import static dev.gyre.machine.assembler.Operand.Register.R8;
import static dev.gyre.machine.assembler.Operand.Register.R9;
import static dev.gyre.machine.assembler.Operand.Register.RBP;
import static dev.gyre.machine.assembler.Operand.Register.RBX;
import static dev.gyre.machine.assembler.Operand.Register.RCX;
import static dev.gyre.machine.assembler.Operand.Register.RDI;
import static dev.gyre.machine.assembler.Operand.Register.RDX;
import static dev.gyre.machine.assembler.Operand.Register.RSI;
import static dev.gyre.machine.assembler.Operand.Register.RSP;

import dev.gyre.machine.assembler.Code;
import dev.gyre.machine.assembler.Operand;
import dev.gyre.machine.assembler.Operand.Address;
import dev.gyre.machine.assembler.Operand.Immediate;
import dev.gyre.machine.assembler.Operand.Mask;
import dev.gyre.machine.assembler.Operand.Register;
import dev.gyre.machine.assembler.Operand.Tile;
import dev.gyre.machine.assembler.Operand.Vector;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Emulates a listing, each instruction as Intel's manual specifies it (Software Developer's Manual, volume 2), for
 * processors that lack its features. It is stricter than any processor: every access must lie within a buffer that was
 * passed, the used part of the stack or the code's own constants; nothing may depend on the registers' initial content;
 * a jump may use only flags that the manual defines.
 */
final class Emulator {
    /** A decoded instruction. */
    interface Step {
        void run();
    }

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;

    private static final Pattern VECTOR = Pattern.compile("([xyz])mm(\\d+)(?:\\{k(\\d)})?(\\{z})?");
    private static final Pattern ADDRESS = Pattern.compile(
            "(?:dword ptr )?\\[(\\w+)(?:\\+(\\w+)\\*(\\d))?([+-]\\d+)?](?:\\{1to(\\d+)})?(?:\\{k(\\d)})?");

    private static final int STACK = 8192; // bytes
    private static final int STEPS = 10_000_000; // the limit for endless loops
    private static final long BEFORE = 0xDEADBEEFL; // the registers' content when the code is called
    private static final int UNDEFINED = 2;

    private static final List<Register> ARGUMENTS = List.of(RDI, RSI, RDX, RCX, R8, R9);
    private static final List<Register> SAVED = List.of(RBX, RBP, R12, R13, R14, R15);

    private final Code code;
    private final List<String> texts = new ArrayList<>();
    private final Map<String, Integer> labels = new HashMap<>(); // to the instruction that follows
    private final Step[] steps;

    private final long[] general = new long[16];
    private final EmulatedVectors vectors = new EmulatedVectors(this);
    private final EmulatedTiles tiles = new EmulatedTiles(this);
    private final MemorySegment stack = Arena.ofAuto().allocate(STACK, 64);
    private final MemorySegment numbers; // behind the code
    private final int numbersAt;
    private List<MemorySegment> buffers = List.of();
    private long top; // of the stack, where the return address is
    private int order; // the sign of the last operation's exact result
    private int next;

    Emulator(Code code) {
        this.code = code;
        Map<String, Integer> places = new HashMap<>();
        int begin = code.size();
        for (Code.Line line : code.lines()) {
            if (line.text().endsWith(":")) {
                String label = line.text().replace(":", "");
                labels.put(label, texts.size());
                places.put(label, line.at());
            } else if (line.text().startsWith(".")) begin = Math.min(begin, line.at());
            else texts.add(line.text());
        }
        numbersAt = begin;
        byte[] bytes = Arrays.copyOfRange(code.bytes(), begin, code.size());
        MemorySegment behind = Arena.ofAuto().allocate(Math.max(1, bytes.length), 64);
        MemorySegment.copy(bytes, 0, behind, ValueLayout.JAVA_BYTE, 0, bytes.length);
        numbers = behind.asSlice(0, bytes.length).asReadOnly();
        steps = texts.stream().map(text -> step(text, places)).toArray(Step[]::new);
    }

    /** Calls the code by the System V convention. Arguments: native segments and longs. */
    void call(Object... arguments) {
        List<MemorySegment> passed = new ArrayList<>();
        for (Object argument : arguments) if (argument instanceof MemorySegment segment) passed.add(segment);
        passed.add(numbers);
        buffers = passed;
        Arrays.fill(general, BEFORE);
        stack.fill((byte) -1); // NaN
        vectors.begin();
        top = stack.address() + STACK - 128 - 8; // a call pushes eight bytes on a stack aligned to 16
        general[RSP.ordinal()] = top;
        at(top, 8).set(LONG, 0, BEFORE);
        for (int i = 0; i < arguments.length; i++) {
            long word = arguments[i] instanceof MemorySegment s ? s.address() : (long) arguments[i];
            if (i < ARGUMENTS.size()) general[ARGUMENTS.get(i).ordinal()] = word;
            else at(top + 8 * (1 + i - ARGUMENTS.size()), 8).set(LONG, 0, word);
        }
        order = UNDEFINED;
        next = 0;
        for (int count = 0; next >= 0; count++) {
            int at = next++;
            try {
                if (count == STEPS) throw new IllegalStateException("no end after " + STEPS + " steps");
                steps[at].run();
            } catch (RuntimeException e) {
                throw new AssertionError(code.name() + ": " + texts.get(at) + ": " + e.getMessage(), e);
            }
        }
    }

    private void end() {
        if (general[RSP.ordinal()] != top || at(top, 8).get(LONG, 0) != BEFORE)
            throw new IllegalStateException("the stack is not as it was");
        for (Register saved : SAVED)
            if (general[saved.ordinal()] != BEFORE) throw new IllegalStateException(saved + " is not as it was");
        vectors.end();
        tiles.end();
        next = -1;
    }

    // --- memory
    // -------------------------------------------------------------------------------------------------------

    /** The bytes at an address, if the code may access them. */
    MemorySegment at(long address, long bytes) {
        for (MemorySegment buffer : buffers)
            if (within(buffer, address, bytes)) return buffer.asSlice(address - buffer.address(), bytes);
        if (within(stack, address, bytes) && address >= general[RSP.ordinal()])
            return stack.asSlice(address - stack.address(), bytes);
        MemorySegment nearest = buffers.stream()
                .min(Comparator.comparingLong(b -> Math.abs(2 * (address - b.address()) + bytes - b.byteSize())))
                .orElseThrow();
        throw new IndexOutOfBoundsException(bytes + " bytes at 0x" + Long.toHexString(address) + ", "
                + (address - nearest.address()) + " from where a buffer of " + nearest.byteSize() + " begins");
    }

    private static boolean within(MemorySegment buffer, long address, long bytes) {
        long offset = address - buffer.address();
        return offset >= 0 && offset + bytes <= buffer.byteSize();
    }

    LongSupplier address(Operand operand) {
        Address a = (Address) operand;
        int base = a.base().ordinal(), scale = a.scale(), displacement = a.displacement();
        if (a.index() == null) return () -> general[base] + displacement;
        int index = a.index().ordinal();
        return () -> general[base] + general[index] * scale + displacement;
    }

    long value(Register register) {
        return general[register.ordinal()];
    }

    // --- instructions
    // -------------------------------------------------------------------------------------------------

    private Step step(String text, Map<String, Integer> places) {
        String[] words = text.replaceFirst(" ", ", ").split(", ");
        if (words.length > 1 && labels.containsKey(words[1])) return jump(words[0], labels.get(words[1]));
        if (text.contains("[rip+")) {
            int to = register(words[1]).ordinal();
            long at = numbers.address()
                    + places.get(words[2].substring("[rip+".length(), words[2].length() - 1))
                    - numbersAt;
            return () -> general[to] = at;
        }
        Operand[] operands = Arrays.stream(words).skip(1).map(Emulator::operand).toArray(Operand[]::new);
        if (words[0].startsWith("v") || words[0].startsWith("k")) return vectors.step(words[0], operands);
        if (words[0].contains("tile") || words[0].startsWith("tdp")) return tiles.step(words[0], operands);
        return switch (words[0]) {
            case "ret" -> this::end;
            case "push", "pop" -> stack(words[0].equals("push"), register(words[1]));
            case "mov" -> move(operands[0], operands[1], words[2]);
            case "lea" -> {
                LongSupplier address = address(operands[1]);
                int to = register(words[1]).ordinal();
                yield () -> general[to] = address.getAsLong();
            }
            case "prefetcht0" -> () -> {};
            default -> calculation(words[0], register(words[1]).ordinal(), operands);
        };
    }

    private Step jump(String mnemonic, int to) {
        BooleanSupplier taken =
                switch (mnemonic) {
                    case "jmp" -> () -> true;
                    case "je" -> () -> order() == 0;
                    case "jne" -> () -> order() != 0;
                    case "jl" -> () -> order() < 0;
                    case "jge" -> () -> order() >= 0;
                    case "jg" -> () -> order() > 0;
                    default -> throw new IllegalArgumentException("no emulation of " + mnemonic);
                };
        return () -> {
            if (taken.getAsBoolean()) next = to;
        };
    }

    private int order() {
        if (order == UNDEFINED) throw new IllegalStateException("the flags are not defined");
        return order;
    }

    private Step stack(boolean push, Register register) {
        int i = register.ordinal(), sp = RSP.ordinal();
        if (push)
            return () -> {
                general[sp] -= 8;
                at(general[sp], 8).set(LONG, 0, general[i]);
            };
        return () -> {
            general[i] = at(general[sp], 8).get(LONG, 0);
            general[sp] += 8;
        };
    }

    private Step move(Operand to, Operand from, String word) {
        if (to instanceof Register register) {
            int i = register.ordinal();
            LongSupplier value = from instanceof Address ? loaded(address(from)) : value(from);
            return () -> general[i] = value.getAsLong();
        }
        LongSupplier address = address(to), value = value(from);
        if (from instanceof Register register && word.equals(register.toString()))
            return () -> at(address.getAsLong(), 8).set(LONG, 0, value.getAsLong());
        return () -> at(address.getAsLong(), 4).set(INT, 0, (int) value.getAsLong());
    }

    private LongSupplier loaded(LongSupplier address) {
        return () -> at(address.getAsLong(), 8).get(LONG, 0);
    }

    private LongSupplier value(Operand operand) {
        if (operand instanceof Immediate number) return number::value;
        int i = ((Register) operand).ordinal();
        return () -> general[i];
    }

    private Step calculation(String mnemonic, int to, Operand[] operands) {
        LongSupplier value = value(operands[1]);
        return switch (mnemonic) {
            // Sums of addresses and counts do not overflow, so the result's sign is exact.
            case "add" -> () -> order = Long.signum(general[to] = Math.addExact(general[to], value.getAsLong()));
            case "sub" -> () -> order = Long.signum(general[to] = Math.subtractExact(general[to], value.getAsLong()));
            case "cmp" -> () -> order = Long.compare(general[to], value.getAsLong());
            case "and" -> () -> order = Long.signum(general[to] &= value.getAsLong());
            case "test" -> () -> order = Long.signum(general[to] & value.getAsLong());
            case "shl" ->
                () -> {
                    general[to] <<= value.getAsLong();
                    order = UNDEFINED;
                };
            case "shr" ->
                () -> {
                    general[to] >>>= value.getAsLong();
                    order = UNDEFINED;
                };
            case "bzhi" -> {
                LongSupplier bits = value(operands[2]);
                yield () -> {
                    int kept = (int) bits.getAsLong() & 0xFF, number = (int) value.getAsLong();
                    if (kept < 32) number &= (1 << kept) - 1;
                    order = Integer.signum(number);
                    general[to] = Integer.toUnsignedLong(number);
                };
            }
            default -> throw new IllegalArgumentException("no emulation of " + mnemonic);
        };
    }

    // --- operands
    // -----------------------------------------------------------------------------------------------------

    private static Register register(String text) {
        return (Register) operand(text);
    }

    private static Operand operand(String text) {
        for (Register r : Register.values()) if (text.equals(r.toString()) || text.equals(r.half())) return r;
        if (text.matches("k\\d")) return new Mask(text.charAt(1) - '0');
        if (text.matches("tmm\\d")) return new Tile(text.charAt(3) - '0');
        Matcher v = VECTOR.matcher(text), a = ADDRESS.matcher(text);
        if (v.matches()) {
            int bits = 128 << v.group(1).charAt(0) - 'x';
            return new Vector(Integer.parseInt(v.group(2)), bits, number(v.group(3), 0), v.group(4) != null);
        }
        if (!a.matches()) return new Immediate(Integer.parseInt(text));
        return new Address(
                register(a.group(1)),
                a.group(2) == null ? null : register(a.group(2)),
                number(a.group(3), 1),
                number(a.group(4), 0),
                number(a.group(5), 0),
                number(a.group(6), 0));
    }

    private static int number(String text, int otherwise) {
        return text == null ? otherwise : Integer.parseInt(text);
    }
}
