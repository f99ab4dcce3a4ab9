package dev.gyre.machine;

import static dev.gyre.machine.assembler.Operand.Register.R8;
import static dev.gyre.machine.assembler.Operand.Register.RAX;
import static dev.gyre.machine.assembler.Operand.Register.RBX;
import static dev.gyre.machine.assembler.Operand.Register.RCX;
import static dev.gyre.machine.assembler.Operand.Register.RDI;
import static dev.gyre.machine.assembler.Operand.Register.RDX;
import static dev.gyre.machine.assembler.Operand.Register.RSI;

import dev.gyre.machine.assembler.Assembler;
import dev.gyre.machine.assembler.Code;
import dev.gyre.machine.assembler.Operand.Address;
import java.util.EnumSet;
import java.util.Set;

/** What the processor reports of itself (CPUID), and which registers the operating system saves (XCR0). */
public final class Cpuid {
    private Cpuid() {}

    /** Executes CPUID: {@code ask(leaf, subleaf)} returns eax, ebx, ecx, edx. */
    @FunctionalInterface
    interface Query {
        int[] ask(int leaf, int subleaf);
    }

    /** The cpuid instruction. Arguments: leaf, subleaf, int[4] for the result. */
    public static Code cpuid() {
        Assembler asm = new Assembler();
        asm.push(RBX);
        asm.mov(R8, RDX);
        asm.mov(RAX, RDI);
        asm.mov(RCX, RSI);
        asm.cpuid();
        asm.mov32(Address.at(R8), RAX);
        asm.mov32(Address.at(R8, 4), RBX);
        asm.mov32(Address.at(R8, 8), RCX);
        asm.mov32(Address.at(R8, 12), RDX);
        asm.pop(RBX);
        asm.ret();
        return asm.code("cpuid");
    }

    /** The xgetbv instruction; returns the lower half of XCR0. */
    public static Code xgetbv() {
        Assembler asm = new Assembler();
        asm.mov(RCX, 0);
        asm.xgetbv();
        asm.ret();
        return asm.code("xgetbv");
    }

    /** Whether the operating system lets programs read XCR0; elsewhere xgetbv is an invalid instruction. */
    static boolean hasXgetbv(Query cpuid) {
        return bit(cpuid.ask(1, 0)[2], 27);
    }

    /**
     * The features that the processor has and the operating system saves. AMX must also be requested from the system
     * ({@link NativeCode}).
     */
    static Set<Feature> features(Query cpuid, int xcr0) {
        Set<Feature> features = EnumSet.noneOf(Feature.class);
        if (cpuid.ask(0, 0)[0] < 7) return features;
        int[] leaf1 = cpuid.ask(1, 0), leaf7 = cpuid.ask(7, 0);
        int subleaf1 = leaf7[0] >= 1 ? cpuid.ask(7, 1)[0] : 0;
        boolean ymmSaved = (xcr0 & 0x6) == 0x6,
                zmmSaved = (xcr0 & 0xE6) == 0xE6,
                tilesSaved = (xcr0 & 0x60000) == 0x60000;
        boolean avx2 = bit(leaf1[2], 12) && bit(leaf1[2], 29) && bit(leaf7[1], 5) && bit(leaf7[1], 8);
        if (ymmSaved && avx2) features.add(Feature.AVX2);
        boolean avx512 = zmmSaved && bit(leaf7[1], 16) && bit(leaf7[1], 17) && bit(leaf7[1], 30);
        if (avx512 && features.contains(Feature.AVX2)) {
            features.add(Feature.AVX512);
            if (bit(subleaf1, 5)) features.add(Feature.AVX512_BF16);
            // Packing for AMX rounds with AVX512-BF16's instruction.
            if (bit(subleaf1, 5) && tilesSaved && bit(leaf7[3], 24) && bit(leaf7[3], 22))
                features.add(Feature.AMX_BF16);
        }
        return features;
    }

    private static boolean bit(int word, int number) {
        return (word >> number & 1) == 1;
    }
}
