package dev.gyre.core.tornado;

import dev.gyre.core.Target;
import java.util.Optional;

/**
 * A device that TornadoVM supports on this machine.
 *
 * @param id the name in options, {@code 0:0}: TornadoVM's backend, then its device
 * @param name the driver's name for it
 * @param platform the driver's platform
 * @param language the language that kernels are compiled to: {@code OpenCL}, {@code PTX}, …
 * @param kind {@code CPU}, {@code GPU} or another type of device
 * @param units compute units, which run work groups
 * @param memory bytes in total
 * @param largestBuffer bytes of the largest single buffer
 * @param localMemory bytes of local memory, which a work group shares
 * @param largestGroup threads of the largest work group
 * @param f16 whether it supports 16-bit floats
 * @param capability NVIDIA's compute capability, such as {@code 8.6}; empty where TornadoVM does not report it: only
 *     the CUDA backend does
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
    /** Bytes of local memory and threads of a work group that {@link Target.KernelKind#WORKGROUP} requires. */
    private static final int LOCAL_MEMORY = 16 << 10, GROUP = 256;

    /** Work groups on a GPU that supports them, otherwise SIMD kernels; F16 weights where it supports 16-bit floats. */
    public Target target() {
        boolean workGroups = kind.equals("GPU") && localMemory >= LOCAL_MEMORY && largestGroup >= GROUP;
        return new Target(workGroups ? Target.KernelKind.WORKGROUP : Target.KernelKind.SIMD, f16);
    }

    /**
     * Why the device does not support a target, as far as is known before kernels are compiled; empty if it does. PTX
     * devices do not report their compute capability; there, compilation fails.
     */
    public Optional<String> refusal(Target target) {
        String problem = null;
        if (target.f16Weights() && !f16) problem = this + " does not support 16-bit floats, so weights cannot be F16";
        else if (target.kernels() == Target.KernelKind.TENSOR_CORE
                && !language.equals("PTX")
                && !language.equals("CUDA"))
            problem = "tensor core kernels require TornadoVM's PTX or CUDA backend, but the device is " + this;
        else if (target.kernels() == Target.KernelKind.TENSOR_CORE
                && capability
                        .map(c -> Integer.parseInt(c.replaceAll("\\..*", "")) < 8)
                        .orElse(false))
            problem = "tensor core kernels require compute capability 8.0 or more, but " + this + " has "
                    + capability.get();
        else if (target.kernels() == Target.KernelKind.VENDOR && !language.equals("CUDA"))
            problem = "cuBLAS and cuDNN require TornadoVM's CUDA backend, but the device is " + this;
        return Optional.ofNullable(problem);
    }

    @Override
    public String toString() {
        return id + " " + name + " (" + language + ")";
    }
}
