package dev.gyre.diffusion.pipeline;

import dev.gyre.diffusion.request.Request;
import dev.gyre.diffusion.sampler.Sampler;

/** One picture's random numbers: the initial noise, then that of the steps, in the order in which other tools draw them. */
final class SeededNoise implements Sampler.Noise {
    /** Above this cosine two noises are too close for spherical interpolation. */
    private static final double PARALLEL = 0.9995;

    private final Request.Noise request;
    private Sampler.Noise random;

    /** @param request of this picture alone */
    SeededNoise(Request.Noise request) {
        this.request = request;
        random = request.source().seeded(seed());
    }

    private long seed() {
        return request.seed().orElseThrow();
    }

    /** The initial noise, [channels, height, width]. */
    float[] initial(int channels, int height, int width) {
        float[] noise = random.next(channels * height * width);
        if (request.variation().isPresent()) {
            Request.Variation variation = request.variation().get();
            float[] other = request.source().seeded(variation.seed()).next(noise.length);
            noise = slerp(variation.strength(), noise, other, channels, height, width);
        }
        if (request.stepSeedDelta() != 0) random = request.source().seeded(seed() + request.stepSeedDelta());
        return noise;
    }

    @Override
    public float[] next(int count) {
        return random.next(count);
    }

    /** Spherical interpolation (Shoemake 1985), of every column of every channel by itself, as AUTOMATIC1111 does it. */
    private static float[] slerp(double part, float[] from, float[] to, int channels, int height, int width) {
        double[] angles = new double[channels * width];
        double mean = 0;
        for (int column = 0; column < angles.length; column++) {
            int first = column / width * height * width + column % width;
            double cross = 0, a = 0, b = 0;
            for (int i = first, y = 0; y < height; y++, i += width) {
                cross += (double) from[i] * to[i];
                a += (double) from[i] * from[i];
                b += (double) to[i] * to[i];
            }
            double cosine = cross / Math.sqrt(a * b);
            angles[column] = Math.acos(Math.clamp(cosine, -1.0, 1.0));
            mean += cosine / angles.length;
        }
        float[] turned = new float[from.length];
        for (int i = 0; i < turned.length; i++) {
            double angle = angles[i / (height * width) * width + i % width];
            boolean straight = mean > PARALLEL || Math.sin(angle) == 0;
            double left = straight ? 1 - part : Math.sin((1 - part) * angle) / Math.sin(angle);
            double right = straight ? part : Math.sin(part * angle) / Math.sin(angle);
            turned[i] = (float) (left * from[i] + right * to[i]);
        }
        return turned;
    }
}
