package dev.gyre.diffusion.pipeline;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gyre.diffusion.noise.NoiseSource;
import dev.gyre.diffusion.noise.TorchRandom;
import dev.gyre.diffusion.request.Request;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class SeededNoiseTest {
    private static final Request.Noise SEED42 = Request.Noise.DEFAULT.seed(42);

    /** The web UI's slerp of torch.randn(4, 8, 16) with seeds 42 and 7, run in PyTorch. */
    @Test
    void aVariationIsTheOneOfAutomatic1111() {
        float[] x = new SeededNoise(SEED42.variation(new Request.Variation(7, 0.3))).initial(4, 8, 16);
        assertArrayEquals(
                new float[] {1.3664308f, 1.2813458f, 1.3456059f, -1.9951237f, 0.5105066f, -1.0145088f},
                Arrays.copyOf(x, 6),
                5e-6f);
        assertArrayEquals(
                new float[] {0.5832084f, -0.5538144f, 0.7409831f},
                Arrays.copyOfRange(x, x.length - 3, x.length),
                5e-6f);
        double sum = 0;
        for (float v : x) sum += v;
        assertEquals(4.0393143, sum, 1e-4);
    }

    @Test
    void variationsOfStrength0And1AreTheSeedsThemselves() {
        float[] seed = new TorchRandom(42).next(4 * 64), other = new TorchRandom(7).next(4 * 64);
        assertArrayEquals(seed, noise(SEED42.variation(new Request.Variation(7, 0))), 1e-6f);
        assertArrayEquals(other, noise(SEED42.variation(new Request.Variation(7, 1))), 1e-6f);
        // Towards itself there is nowhere to turn.
        assertArrayEquals(seed, noise(SEED42.variation(new Request.Variation(42, 0.5))), 1e-6f);
    }

    private static float[] noise(Request.Noise request) {
        return new SeededNoise(request).initial(4, 8, 8);
    }

    @Test
    void stepsGoOnWhereTheFirstNoiseEndedWhateverTheVariation() {
        TorchRandom random = new TorchRandom(42);
        random.next(256);
        float[] steps = random.next(256);
        SeededNoise noise = new SeededNoise(SEED42.variation(new Request.Variation(7, 0.3)));
        noise.initial(4, 8, 8);
        assertArrayEquals(steps, noise.next(256));
    }

    @Test
    void stepsHaveASeedOfTheirOwnWhereTheyShould() {
        SeededNoise noise = new SeededNoise(SEED42.stepSeedDelta(31337));
        assertArrayEquals(new TorchRandom(42).next(256), noise.initial(4, 8, 8));
        assertArrayEquals(new TorchRandom(42 + 31337).next(256), noise.next(256));
    }

    @Test
    void picturesOfABatchHaveSeedsInARow() {
        assertEquals(45, SEED42.of(3).seed().orElseThrow());
        Request.Noise third = SEED42.variation(new Request.Variation(7, 0.3)).of(3);
        assertEquals(42, third.seed().orElseThrow());
        assertEquals(new Request.Variation(10, 0.3), third.variation().orElseThrow());
    }

    @Test
    void sourcesByName() {
        assertEquals(NoiseSource.CUDA, NoiseSource.named("CUDA"));
        Exception e = assertThrows(IllegalArgumentException.class, () -> NoiseSource.named("dice"));
        assertEquals("unknown noise source \"dice\"; there are cpu, cuda", e.getMessage());
    }
}
