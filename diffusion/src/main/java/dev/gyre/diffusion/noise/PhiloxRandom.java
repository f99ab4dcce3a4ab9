package dev.gyre.diffusion.noise;

import dev.gyre.diffusion.sampler.Sampler;

/**
 * The normal numbers of PyTorch's CUDA generator, {@code torch.manual_seed(seed); torch.randn(…, device="cuda")}, to a few units in the
 * last place: Philox4x32-10 (Salmon et al. 2011) and Box–Muller as cuRAND has them, each element from a counter of its own. PyTorch
 * gives these for up to 256 numbers for each block that the GPU runs at a time; beyond, its numbers depend on the GPU. Not
 * thread-safe.
 */
public final class PhiloxRandom implements Sampler.Noise {
    private static final int ROUNDS = 10;
    private static final long M0 = 0xD2511F53L, M1 = 0xCD9E8D57L;
    private static final int W0 = 0x9E3779B9, W1 = 0xBB67AE85;

    private final int low;
    private final int high;
    private int offset;

    /** As after {@code torch.manual_seed(seed)}; all 64 bits count. */
    public PhiloxRandom(long seed) {
        low = (int) seed;
        high = (int) (seed >>> 32);
    }

    /** One call of {@code torch.randn(count)}. */
    @Override
    public float[] next(int count) {
        float[] d = new float[count];
        for (int i = 0; i < count; i++) {
            int[] random = philox(new int[] {offset, 0, i, 0}, low, high);
            float u = unsigned(random[0]) * 0x1p-32f + 0x1p-33f;
            float v = (float) (2 * Math.PI) * (unsigned(random[1]) * 0x1p-32f + 0x1p-33f);
            d[i] = (float) Math.sqrt(-2 * (float) Math.log(u)) * (float) Math.sin(v);
        }
        offset++;
        return d;
    }

    /** Four random words for a counter, which is overwritten, and a key. */
    static int[] philox(int[] c, int key0, int key1) {
        for (int round = 0; round < ROUNDS; round++) {
            long p0 = M0 * (c[0] & 0xFFFFFFFFL), p1 = M1 * (c[2] & 0xFFFFFFFFL);
            int x = (int) (p1 >>> 32) ^ c[1] ^ key0, z = (int) (p0 >>> 32) ^ c[3] ^ key1;
            c[0] = x;
            c[1] = (int) p1;
            c[2] = z;
            c[3] = (int) p0;
            key0 += W0;
            key1 += W1;
        }
        return c;
    }

    private static float unsigned(int word) {
        return (float) (word & 0xFFFFFFFFL);
    }
}
