package dev.gyre.machine.kernel;

import dev.gyre.machine.assembler.Operand;
import dev.gyre.machine.assembler.Operand.Address;
import dev.gyre.machine.assembler.Operand.Immediate;
import dev.gyre.machine.assembler.Operand.Mask;
import dev.gyre.machine.assembler.Operand.Register;
import dev.gyre.machine.assembler.Operand.Vector;
import dev.gyre.machine.kernel.Arithmetic.Binary;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;

/** Vector registers and masks: lanes of 32 bits. */
final class EmulatedVectors {
    /** A lane of the destination from its old value and the sources' lanes. */
    private interface Lane {
        int of(int t, int a, int b);
    }

    /** Lane i of the destination from all of its old lanes and all lanes of the sources. */
    private interface Mixed {
        int of(int i, int[] t, int[] a, int[] b);
    }

    /** The lanes of a mask; others are undefined. */
    private interface Source {
        int[] lanes(int mask);
    }

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
    private static final int LANES = 16, ALL = 0xFFFF;

    private final Emulator machine;
    private final int[][] registers = new int[32][LANES];
    private final int[] masks = new int[8];
    private boolean upper; // whether upper halves of registers that SSE shares were written

    EmulatedVectors(Emulator machine) {
        this.machine = machine;
    }

    void begin() {
        for (int[] register : registers) Arrays.fill(register, -1); // NaN
        Arrays.fill(masks, 0x5A5A);
        upper = false;
    }

    /** Dirty upper halves slow down subsequent SSE instructions. */
    void end() {
        if (upper) throw new IllegalStateException("no vzeroupper");
    }

    Emulator.Step step(String mnemonic, Operand[] o) {
        for (Operand operand : o)
            if (operand instanceof Vector v && v.bits() < 512 && (v.number() > 15 || v.mask() != 0))
                throw new IllegalArgumentException(operand + " needs AVX512VL, which no feature has");
        int n = o.length > 0 && o[o.length - 1] instanceof Immediate number ? number.value() : 0;
        int lanes = o.length > 0 && o[0] instanceof Vector v ? v.bits() / 32 : 0;
        return switch (mnemonic) {
            case "vmovups" -> o[0] instanceof Address ? store(o, 0, count(o[1])) : each(o, (t, a, b) -> a);
            case "vmovss" -> store(o, 0, 1);
            case "vmovlps" -> store(o, 0, 2);
            case "vmovhps" -> store(o, 2, 2);
            case "vextractf128" -> store(o, 4 * n, 4);
            case "vmaskmovps" ->
                o[0] instanceof Address
                        ? store(o[0], o[2], 0, count(o[2]), () -> signs(o[1]))
                        : write(o[0], source(o[2], lanes), () -> signs(o[1]));
            case "vbroadcastss" -> each(new Operand[] {o[0], ((Address) o[1]).broadcast(lanes)}, (t, a, b) -> a);
            case "vaddps" -> each(o, binary((a, b) -> a + b));
            case "vsubps" -> each(o, binary((a, b) -> a - b));
            case "vmulps" -> each(o, binary((a, b) -> a * b));
            case "vdivps" -> each(o, binary((a, b) -> a / b));
            // With a NaN, or two zeros, the second.
            case "vminps" -> each(o, (t, a, b) -> Arithmetic.f(a) < Arithmetic.f(b) ? a : b);
            case "vmaxps" -> each(o, (t, a, b) -> Arithmetic.f(a) > Arithmetic.f(b) ? a : b);
            case "vfmadd231ps" -> each(o, (t, a, b) -> Arithmetic.fma(a, b, t));
            case "vfmadd213ps" -> each(o, (t, a, b) -> Arithmetic.fma(t, a, b));
            case "vscalefps" -> each(o, (t, a, b) -> Arithmetic.scaled(a, b));
            case "vrndscaleps" -> {
                if (n != 8) throw new IllegalArgumentException("no emulation of rounding as " + n + " says");
                yield each(o, (t, a, b) -> Arithmetic.rounded(a));
            }
            case "vcvttps2dq" -> each(o, (t, a, b) -> Arithmetic.truncated(a));
            case "vpaddd" -> each(o, (t, a, b) -> a + b);
            case "vpslld" -> each(o, (t, a, b) -> n > 31 ? 0 : a << n);
            case "vxorps", "vpxord" -> each(o, (t, a, b) -> a ^ b);
            // The second of each pair first.
            case "vdpbf16ps" ->
                each(o, (t, a, b) -> {
                    int sum = Arithmetic.flushedFma(a & 0xFFFF0000, b & 0xFFFF0000, t);
                    return Arithmetic.flushedFma(a << 16, b << 16, sum);
                });
            case "vcvtne2ps2bf16" ->
                mix(o, lanes, (i, t, a, b) -> {
                    int[] from = 2 * i < lanes ? b : a;
                    int first = 2 * i % lanes;
                    return Arithmetic.bf16(from[first]) | Arithmetic.bf16(from[first + 1]) << 16;
                });
            case "vcvtph2ps" ->
                mix(o, lanes / 2, (i, t, a, b) -> {
                    int bits = Float.floatToRawIntBits(Float.float16ToFloat((short) word(b, i)));
                    return Arithmetic.isNaN(bits) ? bits | 0x0040_0000 : bits;
                });
            case "vpmovzxwd" -> mix(o, lanes / 2, (i, t, a, b) -> word(b, i));
            case "vunpcklps" -> mix(o, lanes, (i, t, a, b) -> (i % 2 == 0 ? a : b)[i / 4 * 4 + i % 4 / 2]);
            case "vunpckhps" -> mix(o, lanes, (i, t, a, b) -> (i % 2 == 0 ? a : b)[i / 4 * 4 + i % 4 / 2 + 2]);
            case "vshufps" -> mix(o, lanes, (i, t, a, b) -> (i % 4 < 2 ? a : b)[i / 4 * 4 + (n >> i % 4 * 2 & 3)]);
            case "vinsertf128" -> mix(o, 4, (i, t, a, b) -> i / 4 == n ? b[i % 4] : a[i]);
            case "vpermt2ps" -> mix(o, lanes, (i, t, a, b) -> ((a[i] & lanes) == 0 ? t : b)[a[i] & lanes - 1]);
            case "vpermt2pd" ->
                mix(o, lanes, (i, t, a, b) -> {
                    int pair = a[i / 2 * 2];
                    return ((pair & lanes / 2) == 0 ? t : b)[(pair & lanes / 2 - 1) * 2 + i % 2];
                });
            case "vpermw" ->
                mix(
                        o,
                        lanes,
                        (i, t, a, b) -> word(b, word(a, 2 * i) & 2 * lanes - 1)
                                | word(b, word(a, 2 * i + 1) & 2 * lanes - 1) << 16);
            case "vzeroupper" ->
                () -> {
                    for (int i = 0; i < 16; i++) Arrays.fill(registers[i], 4, LANES, 0);
                    upper = false;
                };
            case "kmovw" -> {
                Mask to = (Mask) o[0];
                Register from = (Register) o[1];
                yield () -> masks[to.number()] = (int) machine.value(from) & ALL;
            }
            default -> throw new IllegalArgumentException("no emulation of " + mnemonic);
        };
    }

    private static Lane binary(Binary operation) {
        return (t, a, b) -> Arithmetic.binary(a, b, operation);
    }

    private static int count(Operand vector) {
        return ((Vector) vector).bits() / 32;
    }

    /** 16 bits. */
    private static int word(int[] lanes, int i) {
        return lanes[i / 2] >>> i % 2 * 16 & 0xFFFF;
    }

    /** A mask of the lanes whose sign bit is set. */
    private int signs(Operand vector) {
        int[] lanes = registers[((Vector) vector).number()];
        int signs = 0;
        for (int i = 0; i < LANES; i++) signs |= lanes[i] >>> 31 << i;
        return signs;
    }

    private IntSupplier mask(int number) {
        return number == 0 ? () -> ALL : () -> masks[number];
    }

    private Source source(Operand operand, int lanes) {
        if (operand instanceof Vector v) {
            if (v.bits() != lanes * 32) throw new IllegalArgumentException("no emulation of " + v + " as a source");
            return mask -> registers[v.number()];
        }
        Address a = (Address) operand;
        LongSupplier address = machine.address(a);
        int[] to = new int[LANES];
        if (a.lanes() != 0) {
            if (a.lanes() != lanes) throw new IllegalArgumentException(a + " for " + lanes + " lanes");
            return mask -> {
                if (mask != 0)
                    Arrays.fill(to, machine.at(address.getAsLong(), 4).get(INT, 0));
                return to;
            };
        }
        int all = (1 << lanes) - 1;
        return mask -> {
            long at = address.getAsLong();
            // Masked-out lanes are not accessed.
            if ((mask & all) == all) MemorySegment.copy(machine.at(at, 4L * lanes), INT, 0, to, 0, lanes);
            else
                for (int i = 0; i < lanes; i++)
                    if ((mask >> i & 1) != 0) to[i] = machine.at(at + 4L * i, 4).get(INT, 0);
            return to;
        };
    }

    /** Lane by lane, with the destination's mask. */
    private Emulator.Step each(Operand[] o, Lane f) {
        Vector to = (Vector) o[0];
        int lanes = count(to);
        Source first = source(o[1], lanes);
        Source second = o.length < 3 || o[2] instanceof Immediate ? first : source(o[2], lanes);
        IntSupplier mask = mask(to.mask());
        int[] t = registers[to.number()];
        return () -> {
            int written = mask.getAsInt();
            int[] a = first.lanes(written), b = second.lanes(written);
            for (int i = 0; i < lanes; i++)
                if ((written >> i & 1) != 0) t[i] = f.of(t[i], a[i], b[i]);
                else if (to.zeroing()) t[i] = 0;
            written(to);
        };
    }

    /** The lanes of any operand. */
    private Emulator.Step mix(Operand[] o, int lastLanes, Mixed f) {
        Vector to = (Vector) o[0];
        if (to.mask() != 0) throw new IllegalArgumentException("no emulation of masks: " + to);
        int lanes = count(to), last = o[o.length - 1] instanceof Immediate ? o.length - 2 : o.length - 1;
        Source second = source(o[last], lastLanes), first = last == 1 ? second : source(o[1], lanes);
        int[] t = registers[to.number()];
        return () -> {
            int[] a = first.lanes(ALL), b = second.lanes(ALL), result = new int[lanes];
            for (int i = 0; i < lanes; i++) result[i] = f.of(i, t, a, b);
            System.arraycopy(result, 0, t, 0, lanes);
            written(to);
        };
    }

    /** Lanes of a mask; zero for the others. */
    private Emulator.Step write(Operand target, Source from, IntSupplier mask) {
        Vector to = (Vector) target;
        int[] t = registers[to.number()];
        return () -> {
            int written = mask.getAsInt();
            int[] a = from.lanes(written);
            for (int i = 0; i < count(to); i++) t[i] = (written >> i & 1) != 0 ? a[i] : 0;
            written(to);
        };
    }

    /** Lanes beyond the vector become zero. */
    private void written(Vector to) {
        Arrays.fill(registers[to.number()], count(to), LANES, 0);
        upper |= to.number() < 16 && to.bits() > 128;
    }

    private Emulator.Step store(Operand[] o, int first, int count) {
        return store(o[0], o[1], first, count, mask(((Address) o[0]).mask()));
    }

    private Emulator.Step store(Operand to, Operand from, int first, int count, IntSupplier mask) {
        LongSupplier address = machine.address(to);
        int[] lanes = registers[((Vector) from).number()];
        int all = (1 << count) - 1;
        return () -> {
            long at = address.getAsLong();
            int written = mask.getAsInt();
            if ((written & all) == all) MemorySegment.copy(lanes, first, machine.at(at, 4L * count), INT, 0, count);
            else
                for (int i = 0; i < count; i++)
                    if ((written >> i & 1) != 0) machine.at(at + 4L * i, 4).set(INT, 0, lanes[i]);
        };
    }
}
