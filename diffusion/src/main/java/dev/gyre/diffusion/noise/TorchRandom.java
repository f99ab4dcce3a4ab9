package dev.gyre.diffusion.noise;

import dev.gyre.diffusion.sampler.Sampler;

/**
 * The normal numbers of PyTorch's CPU generator: {@code torch.manual_seed(seed); torch.randn(…)}, to a few units in the last place
 * (PyTorch's own CPU kernels differ among themselves by as much). MT19937 (Matsumoto and Nishimura 1998) and Box–Muller, in the
 * order of ATen's {@code DistributionTemplates.h}. Not thread-safe.
 */
public final class TorchRandom implements Sampler.Noise {
    private static final int N = 624, M = 397;

    private final int[] state = new int[N];
    private int next = N;
    private double cached;
    private boolean hasCached;

    /** Like {@code torch.manual_seed}: only the low 32 bits count. */
    public TorchRandom(long seed) {
        state[0] = (int) seed;
        for (int j = 1; j < N; j++) state[j] = 1812433253 * (state[j - 1] ^ state[j - 1] >>> 30) + j;
    }

    /** {@code torch.randn(count)}. */
    @Override
    public float[] next(int count) {
        float[] d = new float[count];
        if (count < 16) {
            for (int i = 0; i < count; i++) d[i] = (float) normal();
            return d;
        }
        for (int i = 0; i < count; i++) d[i] = uniform24();
        for (int i = 0; i + 16 <= count; i += 16) boxMuller(d, i);
        if (count % 16 != 0) {
            for (int i = count - 16; i < count; i++) d[i] = uniform24();
            boxMuller(d, count - 16);
        }
        return d;
    }

    /** Eight pairs, each eight apart. */
    private static void boxMuller(float[] d, int at) {
        for (int j = at; j < at + 8; j++) {
            float u1 = 1 - d[j], u2 = d[j + 8];
            float radius = (float) Math.sqrt(-2 * (float) Math.log(u1));
            float theta = (float) (2 * Math.PI) * u2;
            d[j] = radius * (float) Math.cos(theta);
            d[j + 8] = radius * (float) Math.sin(theta);
        }
    }

    /** One at a time, as PyTorch draws fewer than 16: the sine of a pair waits for the next call. */
    private double normal() {
        if (hasCached) {
            hasCached = false;
            return cached;
        }
        double u1 = uniform53(), u2 = uniform53();
        double radius = Math.sqrt(-2 * Math.log1p(-u2)), theta = 2 * Math.PI * u1;
        cached = radius * Math.sin(theta);
        hasCached = true;
        return radius * Math.cos(theta);
    }

    private float uniform24() {
        return (next32() & 0xFFFFFF) * 0x1p-24f;
    }

    private double uniform53() {
        long high = next32() & 0xFFFFFFFFL, low = next32() & 0xFFFFFFFFL;
        return ((high << 32 | low) & (1L << 53) - 1) * 0x1p-53;
    }

    private int next32() {
        if (next == N) refill();
        int y = state[next++];
        y ^= y >>> 11;
        y ^= y << 7 & 0x9d2c5680;
        y ^= y << 15 & 0xefc60000;
        return y ^ y >>> 18;
    }

    private void refill() {
        for (int j = 0; j < N; j++) {
            int y = state[j] & 0x80000000 | state[(j + 1) % N] & 0x7fffffff;
            state[j] = state[(j + M) % N] ^ y >>> 1 ^ ((y & 1) == 0 ? 0 : 0x9908b0df);
        }
        next = 0;
    }
}
