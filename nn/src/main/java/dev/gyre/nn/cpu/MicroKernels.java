package dev.gyre.nn.cpu;

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
        boolean vectors = ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
        System.getLogger("dev.gyre.nn")
                .log(
                        System.Logger.Level.INFO,
                        "No machine code: " + MachineMicroKernel.refusal()
                                + (vectors
                                        ? ". The Vector API's kernels run"
                                        : ". Nor is there the Vector API, which would be about twice as fast as the plain loops"
                                                + " that run: it takes the java option --add-modules jdk.incubator.vector"));
        return vectors && VectorKernel.isWorthwhile() ? new VectorKernel() : new ScalarKernel();
    }
}
