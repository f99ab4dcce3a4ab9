package dev.gyre.machine;

import dev.gyre.machine.assembler.Code;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Machine code in this process: whether it is allowed, what the processor supports, and how code is placed. Code uses
 * the System V calling convention of x86-64 and Linux's system calls; elsewhere there is none, and {@link #refusal}
 * says why.
 */
@SuppressWarnings("restricted") // native access is the purpose of this class
public final class NativeCode {
    /**
     * System property: comma-separated {@linkplain Feature#label() features} that are not to be used; {@code all}
     * disables machine code.
     */
    public static final String WITHOUT = "gyre.machine.without";

    /** System property: {@code true} prints a listing of each placed code, with its address, to standard error. */
    public static final String LISTING = "gyre.machine.listing";

    /** Machine code in this process. */
    public static final NativeCode HERE = new NativeCode(System.getProperty(WITHOUT, ""));

    private final Optional<String> refusal;
    private final Set<Feature> features;
    private final ExecutableMemory pages;

    /** @param without the value of the property {@value #WITHOUT} */
    NativeCode(String without) {
        Set<Feature> found = EnumSet.noneOf(Feature.class);
        ExecutableMemory made = null;
        Optional<String> problem = platform();
        if (problem.isEmpty() && without.strip().equals("all"))
            problem = Optional.of("disabled by " + WITHOUT + "=" + without);
        if (problem.isEmpty())
            try {
                made = new ExecutableMemory();
                found = features(made);
            } catch (UnsupportedOperationException e) {
                problem = Optional.of(e.getMessage());
            } catch (IllegalCallerException e) {
                problem = Optional.of("Java denies native access; allow it with --enable-native-access=ALL-UNNAMED");
            }
        found.removeAll(named(without));
        // Each feature requires the one before.
        if (!found.contains(Feature.AVX2)) found.clear();
        if (!found.contains(Feature.AVX512)) found.retainAll(Set.of(Feature.AVX2));
        if (!found.contains(Feature.AVX512_BF16))
            found.remove(Feature.AMX_BF16); // packing rounds with AVX512-BF16's instruction
        refusal = problem;
        features = Collections.unmodifiableSet(found);
        pages = made;
    }

    private static Optional<String> platform() {
        String os = System.getProperty("os.name"), arch = System.getProperty("os.arch");
        return os.equals("Linux") && (arch.equals("amd64") || arch.equals("x86_64"))
                ? Optional.empty()
                : Optional.of("it requires Linux on x86-64, but this is " + os + " on " + arch);
    }

    private static Set<Feature> named(String without) {
        Set<Feature> off = EnumSet.noneOf(Feature.class);
        for (String word : without.split(",")) {
            String name = word.strip();
            if (name.isEmpty() || name.equals("all")) continue;
            off.add(Arrays.stream(Feature.values())
                    .filter(f -> f.label().equals(name))
                    .findFirst()
                    .orElseThrow(() -> new IllegalArgumentException(WITHOUT + ": expected "
                            + Arrays.stream(Feature.values())
                                    .map(Feature::label)
                                    .collect(Collectors.joining(", "))
                            + " or all, got " + name)));
        }
        return off;
    }

    private static Set<Feature> features(ExecutableMemory pages) {
        try (Arena arena = Arena.ofConfined()) {
            MethodHandle ask = handle(
                    pages.place(Cpuid.cpuid().bytes(), arena),
                    FunctionDescriptor.ofVoid(ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.ADDRESS));
            Cpuid.Query cpuid = (leaf, subleaf) -> {
                int[] answer = new int[4];
                try {
                    ask.invokeExact((long) leaf, (long) subleaf, MemorySegment.ofArray(answer));
                } catch (Throwable e) {
                    throw new IllegalStateException(e);
                }
                return answer;
            };
            if (!Cpuid.hasXgetbv(cpuid)) return EnumSet.noneOf(Feature.class);
            int xcr0 = (int)
                    handle(pages.place(Cpuid.xgetbv().bytes(), arena), FunctionDescriptor.of(ValueLayout.JAVA_INT))
                            .invokeExact();
            Set<Feature> features = Cpuid.features(cpuid, xcr0);
            if (features.contains(Feature.AMX_BF16) && !amxPermitted()) features.remove(Feature.AMX_BF16);
            return features;
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * Requests the tile registers, which Linux grants on demand: arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA).
     */
    private static boolean amxPermitted() throws Throwable {
        Linker linker = Linker.nativeLinker();
        MethodHandle syscall = linker.downcallHandle(
                linker.defaultLookup().find("syscall").orElseThrow(),
                FunctionDescriptor.of(
                        ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
        return (long) syscall.invokeExact(158L, 0x1023L, 18L) == 0;
    }

    /** Why no machine code runs here; empty where it does. */
    public Optional<String> refusal() {
        return refusal;
    }

    /** The features that kernels may use. */
    public Set<Feature> features() {
        return features;
    }

    /** Whether kernels may use a feature. */
    public boolean has(Feature feature) {
        return features.contains(feature);
    }

    /** Why there are no bf16 instructions; empty where there are. */
    public Optional<String> bf16Refusal() {
        if (has(Feature.AVX512_BF16) || has(Feature.AMX_BF16)) return Optional.empty();
        return Optional.of(refusal.map(reason -> "machine code is not available: " + reason)
                .orElse("this processor has neither AVX512-BF16 nor AMX-BF16, or they are disabled; usable features: "
                        + (features.isEmpty()
                                ? "none"
                                : features.stream()
                                        .map(Feature::label)
                                        .collect(Collectors.joining(", "))
                                        .toUpperCase(Locale.ROOT))));
    }

    /** {@link #place(Code, FunctionDescriptor, Arena)}, for as long as the handle is reachable. */
    public MethodHandle place(Code code, FunctionDescriptor type) {
        return place(code, type, Arena.ofAuto());
    }

    /**
     * Makes code callable. Calls are critical downcalls: Java arrays are passed without a copy, but the garbage
     * collector waits for the call, so it must be short (well below a millisecond).
     *
     * @param type its arguments: longs and addresses, the first six in rdi, rsi, rdx, rcx, r8 and r9
     * @param arena unmaps the code when it is closed; closing fails while a call is in progress
     * @throws UnsupportedOperationException with the reason that {@link #refusal} gives
     */
    public MethodHandle place(Code code, FunctionDescriptor type, Arena arena) {
        if (refusal.isPresent())
            throw new UnsupportedOperationException("machine code is not available: " + refusal.get());
        MemorySegment placed = pages.place(code.bytes(), arena);
        if (Boolean.getBoolean(LISTING))
            System.err.print("at " + Long.toHexString(placed.address()) + ": " + code.listing());
        return handle(placed, type);
    }

    private static MethodHandle handle(MemorySegment code, FunctionDescriptor type) {
        return Linker.nativeLinker().downcallHandle(code, type, Linker.Option.critical(true));
    }
}
