package dev.gyre.nn.cpu;

import java.util.Optional;

/** Chooses the {@link MicroKernel} that this JVM and processor run fastest. */
public final class MicroKernels {
    private static final MicroKernel BEST = choose();

    private MicroKernels() {}

    /** The fastest micro-kernel available: machine code, else the Vector API, else plain loops. */
    public static MicroKernel best() {
        return BEST;
    }

    private static MicroKernel choose() {
        if (MachineMicroKernel.isAvailable()) return new MachineMicroKernel();
        Optional<Module> vectors = ModuleLayer.boot().findModule("jdk.incubator.vector");
        // If module-info required it, javac would warn every dependent module that it uses an incubating one.
        if (vectors.isPresent()) MicroKernels.class.getModule().addReads(vectors.get());
        System.getLogger("dev.gyre.nn")
                .log(
                        System.Logger.Level.INFO,
                        "No machine code: " + MachineMicroKernel.refusal()
                                + (vectors.isPresent()
                                        ? ". Using the Vector API"
                                        : ". Neither is the Vector API available, which would be about twice as fast as the plain"
                                                + " loops: add --add-modules jdk.incubator.vector to the java command"));
        return vectors.isPresent() && VectorKernel.isWorthwhile() ? new VectorKernel() : new ScalarKernel();
    }
}
