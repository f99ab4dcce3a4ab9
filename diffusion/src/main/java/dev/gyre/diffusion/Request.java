package dev.gyre.diffusion;

import dev.gyre.diffusion.sampler.Sampler;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * What to draw. What is left empty has the model's default.
 *
 * @param prompt what should be seen
 * @param negative what should not
 * @param steps of the sampler, 1 to 1000; else 50, or 20 for a small model
 * @param guidance how much the prompt counts (classifier-free guidance, Ho and Salimans 2022); 1 and below turn it off; else 7.5,
 *     or 5 for a small model
 * @param sampler else DDIM
 * @param seed of PyTorch's CPU generator; picture i of a batch has seed + i; else random
 * @param size in pixels, multiples of 8; else 512×512, or a small model's native size
 * @param batch number of pictures
 */
public record Request(
        String prompt,
        String negative,
        OptionalInt steps,
        OptionalDouble guidance,
        Optional<Sampler> sampler,
        OptionalLong seed,
        Optional<Size> size,
        int batch) {

    /** Pixels. */
    public record Size(int width, int height) {
        @Override
        public String toString() {
            return width + "x" + height;
        }
    }

    public Request {
        if (steps.isPresent() && (steps.getAsInt() < 1 || steps.getAsInt() > 1000))
            throw new IllegalArgumentException("steps: 1 to 1000, got " + steps.getAsInt());
        if (guidance.isPresent() && !Double.isFinite(guidance.getAsDouble()))
            throw new IllegalArgumentException("guidance: a number, got " + guidance.getAsDouble());
        if (batch < 1) throw new IllegalArgumentException("batch: at least 1, got " + batch);
        size.ifPresent(Request::check);
    }

    private static void check(Size size) {
        if (size.width < 8 || size.height < 8 || size.width % 8 != 0 || size.height % 8 != 0)
            throw new IllegalArgumentException("size: multiples of 8, got " + size);
        // The decoder holds 256 channels of the whole picture in one array of at most 2^31 - 1 numbers.
        if ((long) size.width * size.height > 2880L * 2880L)
            throw new IllegalArgumentException("size: at most 2880x2880 pixels in all, got " + size);
    }

    public static Request of(String prompt) {
        return new Request(
                prompt,
                "",
                OptionalInt.empty(),
                OptionalDouble.empty(),
                Optional.empty(),
                OptionalLong.empty(),
                Optional.empty(),
                1);
    }

    public Request negative(String negative) {
        return new Request(prompt, negative, steps, guidance, sampler, seed, size, batch);
    }

    public Request steps(int steps) {
        return new Request(prompt, negative, OptionalInt.of(steps), guidance, sampler, seed, size, batch);
    }

    public Request guidance(double guidance) {
        return new Request(prompt, negative, steps, OptionalDouble.of(guidance), sampler, seed, size, batch);
    }

    public Request sampler(Sampler sampler) {
        return new Request(prompt, negative, steps, guidance, Optional.of(sampler), seed, size, batch);
    }

    public Request seed(long seed) {
        return new Request(prompt, negative, steps, guidance, sampler, OptionalLong.of(seed), size, batch);
    }

    public Request size(int width, int height) {
        return new Request(
                prompt, negative, steps, guidance, sampler, seed, Optional.of(new Size(width, height)), batch);
    }

    public Request batch(int batch) {
        return new Request(prompt, negative, steps, guidance, sampler, seed, size, batch);
    }
}
