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

/** What a processor says of itself (CPUID) and what its system saves of a thread's registers (XCR0). */
public final class Cpuid {
    private Cpuid() {}

    /** Asks: {@code ask(leaf, subleaf)} gives eax, ebx, ecx, edx. */
    @FunctionalInterface
    interface Query {
        int[] ask(int leaf, int subleaf);
    }

    /** (leaf, subleaf, int[4] to fill). */
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

    /** Gives XCR0's lower half. */
    public static Code xgetbv() {
        Assembler asm = new Assembler();
        asm.mov(RCX, 0);
        asm.xgetbv();
        asm.ret();
        return asm.code("xgetbv");
    }

    /** Whether the system lets programs read XCR0: xgetbv is no instruction else. */
    static boolean hasXgetbv(Query cpuid) {
        return bit(cpuid.ask(1, 0)[2], 27);
    }

    /** What is there and saved. AMX's tiles must be asked for besides ({@link NativeCode}). */
    static Set<Feature> features(Query cpuid, int xcr0) {
        Set<Feature> features = EnumSet.noneOf(Feature.class);
        if (cpuid.ask(0, 0)[0] < 7) return features;
        int[] one = cpuid.ask(1, 0), seven = cpuid.ask(7, 0);
        int more = seven[0] >= 1 ? cpuid.ask(7, 1)[0] : 0;
        boolean vectors = (xcr0 & 0x6) == 0x6, masks = (xcr0 & 0xE6) == 0xE6, tiles = (xcr0 & 0x60000) == 0x60000;
        boolean avx2 = bit(one[2], 12) && bit(one[2], 29) && bit(seven[1], 5) && bit(seven[1], 8);
        if (vectors && avx2) features.add(Feature.AVX2);
        boolean avx512 = masks && bit(seven[1], 16) && bit(seven[1], 17) && bit(seven[1], 30);
        if (avx512 && features.contains(Feature.AVX2)) {
            features.add(Feature.AVX512);
            if (bit(more, 5)) features.add(Feature.AVX512_BF16);
            // Packing for tiles rounds with AVX-512's instruction.
            if (bit(more, 5) && tiles && bit(seven[3], 24) && bit(seven[3], 22)) features.add(Feature.AMX_BF16);
        }
        return features;
    }

    private static boolean bit(int word, int number) {
        return (word >> number & 1) == 1;
    }
}
