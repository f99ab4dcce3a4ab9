package dev.gyre.core.tornado;

import dev.gyre.core.Target;
import java.util.Optional;

/**
 * A device that TornadoVM can run kernels on.
 *
 * @param id TornadoVM's backend and device, such as {@code 0:0}
 * @param name the driver's name for it
 * @param platform name of the driver
 * @param language the language that kernels are compiled to: {@code OpenCL}, {@code PTX}, …
 * @param kind {@code CPU}, {@code GPU} or another type
 * @param units compute units, each of which runs work groups
 * @param memory global memory in bytes
 * @param largestBuffer size of the largest buffer in bytes
 * @param localMemory local memory of a work group in bytes
 * @param largestGroup largest number of threads in a work group
 * @param f16 whether it supports F16 arithmetic
 * @param capability NVIDIA's compute capability, for example {@code 8.6}; empty except for TornadoVM's CUDA backend, which alone reports it
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
    /** Local memory in bytes and threads in a work group that {@link Target.KernelKind#WORKGROUP} needs. */
    private static final int LOCAL_MEMORY = 32 << 10, GROUP = 256;

    /** The kernels that suit it: work groups on a GPU with enough local memory, SIMD otherwise; F16 weights if it supports F16. */
    public Target target() {
        return new Target(
                kind.equals("GPU") && hasWorkGroups() ? Target.KernelKind.WORKGROUP : Target.KernelKind.SIMD, f16);
    }

    private boolean hasWorkGroups() {
        return localMemory >= LOCAL_MEMORY && largestGroup >= GROUP;
    }

    /** Whether kernels are compiled by NVIDIA's own compilers. */
    boolean isNvidia() {
        return language.equals("PTX") || language.equals("CUDA");
    }

    /**
     * Why it cannot run these kernels, as far as is known before compilation; empty if it can. PTX devices do not report their compute
     * capability: there TornadoVM refuses to compile them.
     */
    public Optional<String> refusal(Target target) {
        String problem = null;
        if (target.f16Weights() && !f16) problem = this + " does not support F16, so weights cannot stay F16";
        else if (target.kernels() == Target.KernelKind.TENSOR_CORE && !isNvidia())
            problem = "kernels for tensor cores need TornadoVM's PTX or CUDA backend, but this is " + this;
        else if (target.kernels() == Target.KernelKind.TENSOR_CORE
                && capability
                        .map(c -> Integer.parseInt(c.replaceAll("\\..*", "")) < 8)
                        .orElse(false))
            problem = "kernels for tensor cores need compute capability 8.0 or more, but " + this + " has "
                    + capability.get();
        else if (target.kernels() == Target.KernelKind.VENDOR && !language.equals("CUDA"))
            problem = "cuBLAS and cuDNN need TornadoVM's CUDA backend, but this is " + this;
        else if (target.kernels().compareTo(Target.KernelKind.WORKGROUP) >= 0 && !hasWorkGroups())
            problem = "kernels of work groups need " + LOCAL_MEMORY + " bytes of local memory and " + GROUP
                    + " threads in a group, but " + this + " has " + localMemory + " and " + largestGroup;
        return Optional.ofNullable(problem);
    }

    @Override
    public String toString() {
        return id + " " + name + " (" + language + ")";
    }
}
