package dev.gyre.bench;

import dev.gyre.core.Backend;
import dev.gyre.core.Precision;
import dev.gyre.core.jvm.JvmBackend;
import dev.gyre.core.tornado.TornadoBackend;

/** The backends that benchmarks are told by name. */
final class Backends {
    private Backends() {}

    /**
     * @param name {@code jvm}, {@code jvm-bf16} (products in bf16) or {@code tornado} (the device that TornadoVM takes by itself)
     * @param threads of the JVM's backend; a device has its own
     */
    static Backend named(String name, int threads) {
        JvmBackend.Options options = JvmBackend.Options.DEFAULT.threads(threads);
        return switch (name) {
            case "jvm" -> new JvmBackend(options);
            case "jvm-bf16" -> new JvmBackend(options.precision(Precision.BF16));
            case "tornado" -> new TornadoBackend();
            default -> throw new IllegalArgumentException("backend: there are jvm, jvm-bf16 and tornado, got " + name);
        };
    }
}
