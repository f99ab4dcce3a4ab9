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
 * This process's way to machine code: whether it is allowed, what the processor can do, and where code is placed. Code is made for
 * the System V calling convention of x86-64 and placed by Linux's calls; elsewhere there is none, and {@link #refusal} says so.
 */
@SuppressWarnings("restricted") // calling what lies outside Java is what this is for
public final class NativeCode {
    /** A system property: {@linkplain Feature#label() features} not to be used, comma-separated; {@code all} for no machine code. */
    public static final String WITHOUT = "gyre.machine.without";

    /** A system property: {@code true} prints the listing of every code that is placed, with its address, on standard error. */
    public static final String LISTING = "gyre.machine.listing";

    /** This process. */
    public static final NativeCode HERE = new NativeCode(System.getProperty(WITHOUT, ""));

    private final Optional<String> refusal;
    private final Set<Feature> features;
    private final ExecutableMemory pages;

    /** @param without as the property {@value #WITHOUT} has it */
    NativeCode(String without) {
        Set<Feature> found = EnumSet.noneOf(Feature.class);
        ExecutableMemory made = null;
        Optional<String> problem = platform();
        if (problem.isEmpty() && without.strip().equals("all"))
            problem = Optional.of("switched off by " + WITHOUT + "=" + without);
        if (problem.isEmpty())
            try {
                made = new ExecutableMemory();
                found = features(made);
            } catch (UnsupportedOperationException e) {
                problem = Optional.of(e.getMessage());
            } catch (IllegalCallerException e) {
                problem = Optional.of("Java refuses native access; it is given by --enable-native-access=ALL-UNNAMED");
            }
        found.removeAll(named(without));
        // Each builds on the one before.
        if (!found.contains(Feature.AVX2)) found.clear();
        if (!found.contains(Feature.AVX512)) found.retainAll(Set.of(Feature.AVX2));
        if (!found.contains(Feature.AVX512_BF16))
            found.remove(Feature.AMX_BF16); // packing rounds with the other's instruction
        refusal = problem;
        features = Collections.unmodifiableSet(found);
        pages = made;
    }

    private static Optional<String> platform() {
        String os = System.getProperty("os.name"), arch = System.getProperty("os.arch");
        return os.equals("Linux") && (arch.equals("amd64") || arch.equals("x86_64"))
                ? Optional.empty()
                : Optional.of("it is made for Linux on x86-64, this is " + os + " on " + arch);
    }

    private static Set<Feature> named(String without) {
        Set<Feature> off = EnumSet.noneOf(Feature.class);
        for (String word : without.split(",")) {
            String name = word.strip();
            if (name.isEmpty() || name.equals("all")) continue;
            off.add(Arrays.stream(Feature.values())
                    .filter(f -> f.label().equals(name))
                    .findFirst()
                    .orElseThrow(() -> new IllegalArgumentException(WITHOUT + ": "
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

    /** Linux gives a process tile registers when it asks: arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA). */
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

    /** What kernels may use. */
    public Set<Feature> features() {
        return features;
    }

    /** Whether kernels may use it. */
    public boolean has(Feature feature) {
        return features.contains(feature);
    }

    /** Why there is no arithmetic in bf16; empty where there is. */
    public Optional<String> bf16Refusal() {
        if (has(Feature.AVX512_BF16) || has(Feature.AMX_BF16)) return Optional.empty();
        return Optional.of(refusal.map(reason -> "there is no machine code here: " + reason)
                .orElse("this processor has neither AVX512-BF16 nor AMX-BF16, or they are switched off; it has "
                        + (features.isEmpty()
                                ? "none of what is looked for"
                                : features.stream()
                                        .map(Feature::label)
                                        .collect(Collectors.joining(", "))
                                        .toUpperCase(Locale.ROOT))));
    }

    /** {@link #place(Code, FunctionDescriptor, Arena)}, to stay for as long as the handle can be reached. */
    public MethodHandle place(Code code, FunctionDescriptor type) {
        return place(code, type, Arena.ofAuto());
    }

    /**
     * Makes code callable. A call must be short (well below a millisecond): the collector waits for it. In return Java's own arrays
     * are passed without a copy.
     *
     * @param type its arguments: longs and addresses, the first six in rdi, rsi, rdx, rcx, r8 and r9
     * @param arena what closing unmaps the code; with a call in progress it fails and the code stays
     * @throws UnsupportedOperationException where {@link #refusal} says why
     */
    public MethodHandle place(Code code, FunctionDescriptor type, Arena arena) {
        if (refusal.isPresent()) throw new UnsupportedOperationException("no machine code here: " + refusal.get());
        MemorySegment placed = pages.place(code.bytes(), arena);
        if (Boolean.getBoolean(LISTING))
            System.err.print("at " + Long.toHexString(placed.address()) + ": " + code.listing());
        return handle(placed, type);
    }

    private static MethodHandle handle(MemorySegment code, FunctionDescriptor type) {
        return Linker.nativeLinker().downcallHandle(code, type, Linker.Option.critical(true));
    }
}
