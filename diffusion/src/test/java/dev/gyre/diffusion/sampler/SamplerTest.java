package dev.gyre.diffusion.sampler;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Schedules and samplers against values that diffusers and k-diffusion give. */
class SamplerTest {
    private static final NoiseSchedule SCHEDULE = new NoiseSchedule();

    /** A model simple enough to follow: ε = 0.3 x + 0.001 t. */
    private static float[] toy(float[] x, Sampler.Moment at) {
        float[] epsilon = new float[x.length];
        for (int i = 0; i < x.length; i++) epsilon[i] = (float) (0.3 * x[i] + 0.001 * at.timestep());
        return epsilon;
    }

    private static float[] halves(int count) {
        float[] z = new float[count];
        Arrays.fill(z, 0.5f);
        return z;
    }

    @ParameterizedTest
    @CsvSource({
        "ddim, 0.369311, -5.507130, -2.568911, 4.286939",
        "pndm, 0.689024, -4.743670, -2.027323, 4.310819",
        "euler, -0.578276, -9.468398, -5.023337, 5.348472",
        "euler_a, -0.281619, -5.417021, -2.849320, 3.141982"
    })
    void tenStepsOfTheToyModel(String name, float a, float b, float c, float d) {
        List<Integer> steps = new ArrayList<>();
        float[] x = Sampler.named(name)
                .sample(SamplerTest::toy, new float[] {1, -0.5f, 0.25f, 2}, SamplerTest::halves, 10, done -> {
                    assertEquals(10, done.steps());
                    steps.add(done.step());
                });
        assertArrayEquals(new float[] {a, b, c, d}, x, 1e-5f);
        assertEquals(List.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10), steps);
    }

    @Test
    void ddimWithNoiseTakesIt() {
        float[] noise = {1, -0.5f, 0.25f, 2};
        List<Integer> draws = new ArrayList<>();
        float[] x = new Ddim(1)
                .sample(
                        SamplerTest::toy,
                        noise,
                        count -> {
                            draws.add(count);
                            return halves(count);
                        },
                        10,
                        done -> {});
        // The last step stays above the data: its target is the first timestep's noise, not none.
        assertEquals(10, draws.size());
        float[] without = new Ddim(0).sample(SamplerTest::toy, noise, SamplerTest::halves, 10, done -> {});
        assertTrue(Math.abs(x[0] - without[0]) > 0.1);
    }

    @Test
    void alphasAndSigmas() {
        double[][] known = {
            {0, 0.999150000000}, {1, 0.998296027838}, {100, 0.894223477587}, {250, 0.673792625233},
            {500, 0.276332683823}, {750, 0.056169848003}, {998, 0.004716698900}, {999, 0.004660098513}
        };
        for (double[] pair : known) assertEquals(pair[1], SCHEDULE.alphaCumprod((int) pair[0]), 1e-12);
        assertEquals(SCHEDULE.alphaCumprod(0), SCHEDULE.alphaCumprod(-19));
        assertEquals(0.029167158, SCHEDULE.sigma(0), 1e-9);
        assertEquals(14.614641229, SCHEDULE.sigma(999), 1e-9);
    }

    @Test
    void linspaceSigmas() {
        double[] known = {14.61464, 7.83988, 4.60917, 2.91831, 1.95016, 1.34493, 0.93236, 0.62498, 0.36866, 0.02917};
        Levels levels = Spacing.LINSPACE.levels(10);
        for (int i = 0; i < 10; i++) assertEquals(known[i], levels.sigma(i), 6e-6);
    }

    @Test
    void leadingTimesteps() {
        double[] twenty = Spacing.LEADING.levels(20).timesteps();
        assertArrayEquals(new double[] {951, 901, 851}, Arrays.copyOf(twenty, 3));
        assertEquals(1, twenty[19]);
        assertArrayEquals(
                new double[] {981, 961, 941},
                Arrays.copyOf(Spacing.LEADING.levels(50).timesteps(), 3));
        assertEquals(999, Spacing.LEADING.levels(1000).timesteps()[0]);
    }

    @Test
    void pndmAsksTwiceForTheSecondTimestep() {
        List<Double> asked = new ArrayList<>();
        new Pndm()
                .sample(
                        (x, at) -> {
                            asked.add(at.timestep());
                            return toy(x, at);
                        },
                        new float[] {1},
                        SamplerTest::halves,
                        20,
                        done -> {});
        assertEquals(List.of(951.0, 901.0, 901.0, 851.0), asked.subList(0, 4));
        assertEquals(21, asked.size());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7, 30, 999, 1000})
    void anyNumberOfStepsEnds(int steps) {
        for (Sampler sampler : Sampler.ALL) {
            float[] x = sampler.sample(
                    (y, at) -> {
                        double t = at.timestep();
                        assertTrue(t >= 0 && t <= 999, sampler.displayName() + " asks for timestep " + t);
                        return toy(y, at);
                    },
                    new float[] {1},
                    SamplerTest::halves,
                    steps,
                    done -> {});
            assertTrue(Float.isFinite(x[0]), sampler.displayName());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1001})
    void otherNumbersOfStepsAreRefused(int steps) {
        for (Sampler sampler : Sampler.ALL) {
            Exception e = assertThrows(
                    IllegalArgumentException.class,
                    () -> sampler.sample(SamplerTest::toy, new float[] {1}, SamplerTest::halves, steps, done -> {}));
            assertEquals("the number of steps is 1 to 1000, got " + steps, e.getMessage());
        }
    }

    @Test
    void namesOfOtherTools() {
        assertSame(Sampler.named("Euler a"), Sampler.named("EulerAncestralDiscreteScheduler"));
        assertSame(Sampler.named("euler_a"), Sampler.named("EULER A"));
        assertSame(Sampler.named("PLMS"), Sampler.named("PNDMScheduler"));
        assertSame(Sampler.named("DDIM"), Sampler.named("DDIMScheduler"));
        assertSame(Sampler.named("Euler"), Sampler.named("EulerDiscreteScheduler"));
        Exception e = assertThrows(IllegalArgumentException.class, () -> Sampler.named("warp"));
        assertEquals("unknown sampler \"warp\"; there are ddim, plms, euler, euler_a", e.getMessage());
    }
}
