package dev.gyre.diffusion.noise;

import dev.gyre.diffusion.sampler.Sampler;
import java.util.List;
import java.util.Locale;
import java.util.function.LongFunction;

/** The random number generator of a seed. The same seed gives another picture with each. */
public enum NoiseSource {
    /** PyTorch's generator on a CPU: diffusers with a CPU generator, ComfyUI, AUTOMATIC1111 with "CPU". */
    CPU(TorchRandom::new),
    /** PyTorch's generator on an Nvidia GPU: AUTOMATIC1111 by default ("GPU", "NV"), stable-diffusion.cpp, diffusers with a GPU generator. */
    CUDA(PhiloxRandom::new);

    private final LongFunction<Sampler.Noise> seeded;

    NoiseSource(LongFunction<Sampler.Noise> seeded) {
        this.seeded = seeded;
    }

    /** The generator, seeded. */
    public Sampler.Noise seeded(long seed) {
        return seeded.apply(seed);
    }

    /** Its name for users. */
    public String displayName() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** @throws IllegalArgumentException naming those there are */
    public static NoiseSource named(String name) {
        for (NoiseSource source : values()) if (source.name().equalsIgnoreCase(name)) return source;
        throw new IllegalArgumentException("unknown noise source \"" + name + "\"; there are "
                + String.join(
                        ", ",
                        List.of(values()).stream().map(NoiseSource::displayName).toList()));
    }
}
