package dev.gyre.cli;

import dev.gyre.core.Backend;
import dev.gyre.core.Profiler;
import dev.gyre.core.Target;
import dev.gyre.core.jvm.JvmBackend;
import dev.gyre.core.tornado.DeviceListener;
import dev.gyre.core.tornado.TornadoBackend;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Options of the backend. */
final class BackendOptions {
    /** After the commands' own options. */
    private static final int LAST = 1000;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    @ArgGroup(validate = false, order = LAST, heading = "%nBackend:%n")
    private Choice at = new Choice();

    private static final class Choice {
        @Option(
                names = "--backend",
                paramLabel = "NAME",
                description = "jvm, or tornado for TornadoVM's devices. (default: jvm)")
        private String backend = "jvm";

        @Option(
                names = "--device",
                paramLabel = "ID",
                description = "One that gyre devices lists. (default: a GPU, if any)")
        private String device;

        @Option(
                names = "--kernels",
                paramLabel = "KIND",
                description =
                        "Kernels on a device: reference (plain loops), simd, workgroup, tensor-core (products in 16 bits) or"
                                + " vendor (cuBLAS and cuDNN). (default: what suits the device)")
        private String kernels;

        @Option(names = "--f32", description = "On a device: widen weights that are stored as F16 to F32.")
        private boolean wide;

        @Option(names = "--explain", description = "On a device: print which kernels each op runs.")
        private boolean explain;
    }

    String backend() {
        return at.backend;
    }

    boolean tornado() {
        return at.backend.equals("tornado");
    }

    boolean explain() {
        return at.explain;
    }

    /** For commands of one backend, which then need not be named. */
    void check(String only) {
        at.backend = only;
        check();
    }

    /** @throws ParameterException for options that do not exist or do not go together */
    void check() {
        if (!at.backend.equals("jvm") && !tornado())
            throw new ParameterException(spec.commandLine(), "--backend: jvm or tornado, got " + at.backend);
        if (!tornado() && (at.device != null || at.kernels != null || at.wide || at.explain))
            throw new ParameterException(
                    spec.commandLine(), "--device, --kernels, --f32 and --explain need --backend tornado");
        if (at.kernels != null && kernels() == Target.KernelKind.TENSOR_CORE && at.wide)
            throw new ParameterException(
                    spec.commandLine(), "--f32 does not go with --kernels tensor-core, which multiply in 16 bits");
    }

    private Target.KernelKind kernels() {
        return Arrays.stream(Target.KernelKind.values())
                .filter(one -> name(one).equalsIgnoreCase(at.kernels))
                .findFirst()
                .orElseThrow(() -> new ParameterException(
                        spec.commandLine(), "--kernels: " + names() + ", got " + at.kernels.toLowerCase(Locale.ROOT)));
    }

    private static String names() {
        return Arrays.stream(Target.KernelKind.values())
                .map(BackendOptions::name)
                .collect(Collectors.joining(", "));
    }

    /** As users write it, as in {@code tensor-core}. */
    static String name(Target.KernelKind kind) {
        return kind.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** Opens the backend, with a listener and a profiler for a device. */
    Backend open(JvmBackend.Options jvm, DeviceListener listener, Optional<Profiler> profiler) {
        if (!tornado()) return new JvmBackend(profiler.map(jvm::profiler).orElse(jvm));
        TornadoBackend.Options options = options();
        return new TornadoBackend(
                profiler.map(p -> options.measured(listener, p)).orElse(options.listener(listener)));
    }

    /** The device's options; the device is queried for what no option says. */
    TornadoBackend.Options options() {
        TornadoBackend.Options options = TornadoBackend.Options.DEFAULT;
        if (at.device != null) options = options.device(at.device);
        if (at.kernels == null && !at.wide) return options;
        try (TornadoBackend asked = new TornadoBackend(options)) {
            Target best = asked.target();
            return options.target(
                    new Target(at.kernels == null ? best.kernels() : kernels(), best.f16Weights() && !at.wide));
        }
    }
}
