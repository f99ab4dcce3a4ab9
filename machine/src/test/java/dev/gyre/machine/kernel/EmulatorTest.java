package dev.gyre.machine.kernel;

import static dev.gyre.machine.assembler.Operand.Register.RAX;
import static dev.gyre.machine.assembler.Operand.Register.RBX;
import static dev.gyre.machine.assembler.Operand.Register.RDI;
import static dev.gyre.machine.assembler.Operand.Register.RSP;
import static dev.gyre.machine.assembler.Operand.Vector.ymm;
import static dev.gyre.machine.assembler.Operand.Vector.zmm;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gyre.machine.assembler.Assembler;
import dev.gyre.machine.assembler.Instruction;
import dev.gyre.machine.assembler.Operand;
import dev.gyre.machine.assembler.Operand.Address;
import dev.gyre.machine.assembler.Operand.Mask;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** What the emulator rejects, and behaviour that only processors with AVX-512 show. */
class EmulatorTest {
    private static final int SIZE = 128;

    private final MemorySegment buffer = Arena.ofAuto().allocate(SIZE, 64);

    private void run(Consumer<Assembler> code) {
        Assembler asm = new Assembler();
        code.accept(asm);
        asm.ret();
        new Emulator(asm.code("some code")).call(buffer);
    }

    private void refused(String problem, Consumer<Assembler> code) {
        String message = assertThrows(AssertionError.class, () -> run(code)).getMessage();
        assertTrue(message.startsWith("some code: ") && message.contains(problem), message);
    }

    @Test
    void accessesBeyondABufferAreNamed() {
        refused("vmovups [rdi+112], ymm1: 32 bytes at 0x", asm -> {
            asm.op(Instruction.VMOVUPS_STORE, Address.at(RDI, SIZE - 16), ymm(1));
            asm.vzeroupper();
        });
        refused("-8 from where a buffer of 128 begins", asm -> asm.mov(RAX, Address.at(RDI, -8)));
        refused("bytes at", asm -> asm.mov(Address.at(RSP, -8), RAX)); // below the stack
        run(asm -> asm.prefetch(Address.at(RDI, -64)));
    }

    @Test
    void constantsAreReadOnly() {
        Assembler asm = new Assembler();
        Assembler.Label numbers = asm.label("numbers");
        asm.lea(RAX, numbers);
        asm.op(Instruction.VMOVSS_STORE, Address.at(RAX), new Operand.Vector(0, 128, 0, false));
        asm.ret();
        asm.bind(numbers);
        asm.floats(1);
        assertThrows(AssertionError.class, () -> new Emulator(asm.code("writes")).call());
    }

    @Test
    void calleeSavedRegistersMustBeRestored() {
        refused("rbx is not as it was", asm -> asm.mov(RBX, 1));
        refused("the stack is not as it was", asm -> asm.push(RBX));
        refused("no vzeroupper", asm -> asm.op(Instruction.VMOVUPS, ymm(1), Address.at(RDI)));
        refused("tiles were not released", asm -> {
            for (int at = 16; at < 32; at += 4) asm.mov32(Address.at(RDI, at), 0x0040_0040);
            for (int at = 48; at < 56; at += 4) asm.mov32(Address.at(RDI, at), 0x1010_1010);
            asm.mov32(Address.at(RDI), 1);
            asm.op(Instruction.LDTILECFG, Address.at(RDI));
        });
    }

    @Test
    void undefinedStateMustNotBeRead() {
        refused("the flags are not defined", asm -> {
            asm.shl(RAX, 1);
            asm.jump(Assembler.Condition.ZERO, asm.here("again"));
        });
        refused("no end", asm -> asm.jump(asm.here("forever")));
        assertThrows(
                IllegalArgumentException.class,
                () -> run(asm -> asm.op(Instruction.VMOVUPS, ymm(16), Address.at(RDI))));
    }

    @Test
    void maskedOutLanesAreNotAccessed() {
        for (int i = 0; i < 32; i++) buffer.setAtIndex(ValueLayout.JAVA_INT, i, i);
        run(asm -> {
            asm.mov(RAX, 5);
            asm.op(Instruction.KMOVW, new Mask(1), RAX);
            asm.op(Instruction.VMOVUPS, zmm(17), Address.at(RDI));
            asm.op(Instruction.VMOVUPS, zmm(17).zeroing(1), Address.at(RDI, SIZE - 12));
            asm.op(Instruction.VMOVUPS_STORE, Address.at(RDI).masked(1), zmm(17));
            asm.op(
                    Instruction.VPADDD,
                    new Operand.Vector(17, 512, 1, false),
                    zmm(17),
                    Address.at(RDI).broadcast(16));
            asm.op(Instruction.VMOVUPS_STORE, Address.at(RDI, 64), zmm(17));
        });
        int[] begin = {29, 1, 31, 3}, end = {58, 0, 60, 0};
        for (int i = 0; i < 4; i++) {
            assertEquals(begin[i], buffer.getAtIndex(ValueLayout.JAVA_INT, i));
            assertEquals(end[i], buffer.getAtIndex(ValueLayout.JAVA_INT, 16 + i));
        }
    }

    /** The special cases of the manual's tables. */
    @Test
    void arithmetic() {
        int one = bits(1), infinity = bits(Float.POSITIVE_INFINITY), nan = 0x7FC0_1234, signaling = 0x7F80_1234;
        int none = 0xFFC0_0000, least = 1;
        assertEquals(none, Arithmetic.binary(infinity, infinity, (a, b) -> a - b));
        assertEquals(nan, Arithmetic.binary(signaling, none, (a, b) -> a + b));
        assertEquals(nan, Arithmetic.fma(one, nan, none));
        assertEquals(bits(0x1p-149f), Arithmetic.scaled(one, bits(-148.5f)));
        assertEquals(infinity, Arithmetic.scaled(one, bits(1e30f)));
        assertEquals(bits(-0f), Arithmetic.scaled(bits(-1), bits(-1e30f)));
        assertEquals(infinity, Arithmetic.scaled(nan, infinity));
        assertEquals(nan, Arithmetic.scaled(signaling, infinity));
        assertEquals(none, Arithmetic.scaled(0, infinity));
        assertEquals(bits(-2), Arithmetic.rounded(bits(-2.5f)));
        assertEquals(bits(-0f), Arithmetic.rounded(bits(-0.5f)));
        assertEquals(Integer.MIN_VALUE, Arithmetic.truncated(nan));
        assertEquals(Integer.MIN_VALUE, Arithmetic.truncated(bits(0x1p31f)));
        assertEquals(-2, Arithmetic.truncated(bits(-2.9f)));
        assertEquals(0x7FC0, Arithmetic.bf16(0x7F80_0001));
        assertEquals(0x8000, Arithmetic.bf16(0x8000_FFFF));
        assertEquals(0x3F80, Arithmetic.bf16(0x3F80_8000));
        assertEquals(0x3F82, Arithmetic.bf16(0x3F81_8000));
        assertEquals(0, Arithmetic.flushedFma(least, one, least));
        assertEquals(least + 1, Arithmetic.fma(least, one, least));
    }

    private static int bits(float value) {
        return Float.floatToRawIntBits(value);
    }
}
