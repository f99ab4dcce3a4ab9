package dev.gyre.core.tornado;

import dev.gyre.core.Target;
import java.util.Optional;

/**
 * A device that TornadoVM reaches.
 *
 * @param id how users name it: {@code 0:0}, TornadoVM's backend, then its device
 * @param name the driver's name for it
 * @param platform whose driver it is
 * @param language what kernels are compiled to: {@code OpenCL}, {@code PTX}, …
 * @param kind {@code CPU}, {@code GPU} or what else there is
 * @param units processors that run groups of threads
 * @param memory bytes in all
 * @param largestBuffer bytes of the largest single buffer
 * @param localMemory bytes that a group of threads shares
 * @param largestGroup threads of the largest group
 * @param f16 whether it computes with 16-bit floats
 * @param capability NVIDIA's compute capability, {@code 8.6} say; empty where TornadoVM does not tell: it does for CUDA alone
 */
public record Device(
        String id,
        String name,
        String platform,
        String language,
        String kind,
        int units,
        long memory,
        long largestBuffer,
        long localMemory,
        int largestGroup,
        boolean f16,
        Optional<String> capability) {
    /** Bytes of local memory and threads in a group that {@link Target.KernelKind#WORKGROUP} asks for. */
    private static final int LOCAL_MEMORY = 16 << 10, GROUP = 256;

    /** Kernels in groups on a GPU that can hold them, else tiles; 16-bit weights where it has such floats. */
    public Target target() {
        boolean groups = kind.equals("GPU") && localMemory >= LOCAL_MEMORY && largestGroup >= GROUP;
        return new Target(groups ? Target.KernelKind.WORKGROUP : Target.KernelKind.SIMD, f16);
    }

    /**
     * Why it cannot run these kernels, as far as can be told before they are compiled; empty if it can. PTX devices do not tell their
     * compute capability: there TornadoVM refuses to compile.
     */
    public Optional<String> refusal(Target target) {
        String problem = null;
        if (target.f16Weights() && !f16) problem = this + " does not compute with 16-bit floats, so weights cannot be";
        else if (target.kernels() == Target.KernelKind.TENSOR_CORE
                && !language.equals("PTX")
                && !language.equals("CUDA"))
            problem = "kernels for tensor cores need TornadoVM's PTX or CUDA backend, but this is " + this;
        else if (target.kernels() == Target.KernelKind.TENSOR_CORE
                && capability
                        .map(c -> Integer.parseInt(c.replaceAll("\\..*", "")) < 8)
                        .orElse(false))
            problem = "kernels for tensor cores need compute capability 8.0 or more, but " + this + " has "
                    + capability.get();
        else if (target.kernels() == Target.KernelKind.VENDOR && !language.equals("CUDA"))
            problem = "cuBLAS and cuDNN need TornadoVM's CUDA backend, but this is " + this;
        return Optional.ofNullable(problem);
    }

    @Override
    public String toString() {
        return id + " " + name + " (" + language + ")";
    }
}
