package dev.gyre.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gyre.machine.assembler.Assembler;
import dev.gyre.machine.assembler.Code;
import dev.gyre.machine.assembler.Operand;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class NativeCodeTest {
    private static final FunctionDescriptor LONG = FunctionDescriptor.of(ValueLayout.JAVA_LONG);

    private static Code answer(int number) {
        Assembler asm = new Assembler();
        asm.mov(Operand.Register.RAX, number);
        asm.ret();
        return asm.code("answer");
    }

    private static void onlyWithCode() {
        assumeTrue(
                NativeCode.HERE.refusal().isEmpty(),
                "not run: " + NativeCode.HERE.refusal().orElse(""));
    }

    @Test
    void codeRunsAndIsUnmappedWithItsArena() throws Throwable {
        onlyWithCode();
        MethodHandle handle;
        try (Arena arena = Arena.ofShared()) {
            handle = NativeCode.HERE.place(answer(42), LONG, arena);
            assertEquals(42L, (long) handle.invokeExact());
        }
        assertThrows(IllegalStateException.class, () -> {
            long unused = (long) handle.invokeExact();
        });
    }

    @Test
    void pagesAreNeverWritableAndExecutable() throws Throwable {
        onlyWithCode();
        long runnable = bytes("r-xp"), both = bytes("rwxp");
        try (Arena arena = Arena.ofConfined()) {
            NativeCode.HERE.place(answer(1), LONG, arena);
            assertEquals(runnable + 4096, bytes("r-xp"));
            // HotSpot's own code cache is both, and may have grown in the meantime, but not by a single page.
            assertNotEquals(both + 4096, bytes("rwxp"));
        }
        assertEquals(runnable, bytes("r-xp"));
    }

    /** The size of all anonymous mappings with these permissions. The kernel may merge neighbours, so their number says nothing. */
    private static long bytes(String permissions) throws IOException {
        try (var lines = Files.lines(Path.of("/proc/self/maps"))) {
            return lines.filter(line -> line.matches("[0-9a-f]+-[0-9a-f]+ " + permissions + " 00000000 00:00 0 *"))
                    .mapToLong(line -> {
                        String[] ends = line.split("[- ]");
                        return Long.parseUnsignedLong(ends[1], 16) - Long.parseUnsignedLong(ends[0], 16);
                    })
                    .sum();
        }
    }

    @Test
    void featuresMatchProcCpuinfo() throws IOException {
        onlyWithCode();
        assumeTrue(System.getProperty(NativeCode.WITHOUT) == null, "features are switched off");
        String flags;
        try (var lines = Files.lines(Path.of("/proc/cpuinfo"))) {
            flags = lines.filter(line -> line.startsWith("flags")).findFirst().orElseThrow() + " ";
        }
        // The launcher checks the same flags.
        assertEquals(
                Stream.of("avx2", "bmi2", "f16c", "fma").allMatch(flag -> flags.contains(" " + flag + " ")),
                NativeCode.HERE.has(Feature.AVX2));
        assertEquals(flags.contains(" avx512bw ") && flags.contains(" avx512dq "), NativeCode.HERE.has(Feature.AVX512));
        assertEquals(flags.contains(" avx512_bf16 "), NativeCode.HERE.has(Feature.AVX512_BF16));
        assertEquals(
                flags.contains(" amx_bf16 ") && flags.contains(" avx512_bf16 "), NativeCode.HERE.has(Feature.AMX_BF16));
    }

    @Test
    void disablingAFeatureDisablesItsDependents() {
        onlyWithCode();
        Set<Feature> all = EnumSet.copyOf(new NativeCode("").features());
        for (Feature feature : all) {
            Set<Feature> left = new NativeCode(feature.label()).features();
            assertFalse(left.contains(feature));
            for (Feature other : left) assertTrue(other.ordinal() < feature.ordinal() || feature == Feature.AMX_BF16);
        }
        assertEquals(Set.of(), new NativeCode("avx2").features());
    }

    @Test
    void refusalSaysWhyThereIsNoMachineCode() {
        NativeCode none = new NativeCode("all");
        assertEquals(Set.of(), none.features());
        assumeTrue(System.getProperty("os.name").equals("Linux"));
        assertEquals(Optional.of("disabled by gyre.machine.without=all"), none.refusal());
        assertEquals(
                Optional.of("machine code is not available: disabled by gyre.machine.without=all"), none.bf16Refusal());
        assertThrows(UnsupportedOperationException.class, () -> none.place(answer(1), LONG));
    }

    @Test
    void anUnknownFeatureIsNamed() {
        String message = assertThrows(IllegalArgumentException.class, () -> new NativeCode("avx2,sse9"))
                .getMessage();
        assertEquals("gyre.machine.without: expected avx2, avx512, avx512_bf16, amx_bf16 or all, got sse9", message);
    }

    @Test
    void cpuidIsDecodedAsTheManualSpecifies() {
        // Leaf 7 with everything that counts; leaf 1 with FMA and OSXSAVE.
        Cpuid.Query full = (leaf, subleaf) -> switch (leaf * 10 + subleaf) {
            case 0 -> new int[] {7, 0, 0, 0};
            case 10 -> new int[] {0, 0, 1 << 12 | 1 << 27 | 1 << 29, 0};
            case 70 -> new int[] {1, 1 << 5 | 1 << 8 | 1 << 16 | 1 << 17 | 1 << 30, 0, 1 << 22 | 1 << 24};
            case 71 -> new int[] {1 << 5, 0, 0, 0};
            default -> throw new IllegalArgumentException(leaf + ", " + subleaf);
        };
        assertEquals(EnumSet.allOf(Feature.class), Cpuid.features(full, 0x600E7));
        assertEquals(EnumSet.of(Feature.AVX2, Feature.AVX512, Feature.AVX512_BF16), Cpuid.features(full, 0xE7));
        assertEquals(EnumSet.of(Feature.AVX2), Cpuid.features(full, 0x7));
        assertEquals(Set.of(), Cpuid.features(full, 0x3));
        Cpuid.Query old = (leaf, subleaf) -> new int[] {4, 0, 0, 0};
        assertEquals(Set.of(), Cpuid.features(old, 0x600E7));
    }
}
