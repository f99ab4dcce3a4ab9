package dev.gyre.core.profile;

import dev.gyre.machine.Feature;
import dev.gyre.machine.NativeCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Describes the environment of a measurement: the processor, the JVM and its options. */
public final class Environment {
    private Environment() {}

    /** The environment in one line. */
    public static String line() {
        String code = NativeCode.HERE.refusal().isPresent()
                ? "no machine code"
                : NativeCode.HERE.features().isEmpty()
                        ? "machine code for no feature"
                        : "machine code for "
                                + NativeCode.HERE.features().stream()
                                        .map(Feature::label)
                                        .collect(Collectors.joining(" "));
        boolean vector = ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
        return processor() + "; " + Runtime.getRuntime().availableProcessors() + " processors; "
                + System.getProperty("os.name") + " " + System.getProperty("os.arch") + "; Java "
                + System.getProperty("java.runtime.version") + (vector ? "; Vector API" : "; without the Vector API")
                + "; "
                + code;
    }

    /** The processor's name as the operating system reports it, and the instruction sets that kernels use. */
    public static String processor() {
        Path info = Path.of("/proc/cpuinfo");
        if (!Files.isReadable(info)) return System.getProperty("os.arch") + " processor";
        try {
            String name = field(info, "model name"), flags = " " + field(info, "flags") + " ";
            String family = field(info, "cpu family"), model = field(info, "model");
            StringBuilder line = new StringBuilder(name.isEmpty() ? System.getProperty("os.arch") : name);
            if (!family.isEmpty())
                line.append(" (family ")
                        .append(family)
                        .append(", model ")
                        .append(model)
                        .append(')');
            for (String flag : new String[] {"avx2", "avx512f", "avx512_bf16", "amx_bf16"})
                if (flags.contains(" " + flag + " ")) line.append(' ').append(flag);
            return line.toString();
        } catch (IOException e) {
            return System.getProperty("os.arch") + " processor";
        }
    }

    private static String field(Path info, String name) throws IOException {
        try (Stream<String> lines = Files.lines(info)) {
            return lines.filter(line -> line.matches(name + "\\s*:.*"))
                    .findFirst()
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .orElse("");
        }
    }

    /** The peak resident set size of this process in MiB; −1 if the operating system does not report it. */
    public static long peakResident() {
        Path status = Path.of("/proc/self/status");
        if (!Files.isReadable(status)) return -1;
        try {
            String peak = field(status, "VmHWM").replaceAll("\\D", "");
            return peak.isEmpty() ? -1 : Long.parseLong(peak) >> 10;
        } catch (IOException e) {
            return -1;
        }
    }
}
