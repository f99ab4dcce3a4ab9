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
    private static float[] toy(float[] x, Sampler.StepInfo at) {
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
        "lms, -0.288434, -8.720416, -4.504426, 5.332888",
        "euler, -0.578276, -9.468398, -5.023337, 5.348472",
        "euler karras, -0.609459, -9.627687, -5.118573, 5.402693",
        "euler_a, -0.281619, -5.417021, -2.849320, 3.141982",
        "heun, 0.120639, -7.639760, -3.759560, 5.294240",
        "dpm2, 0.095566, -7.767760, -3.836097, 5.337782",
        "dpm2 a, 1.236818, -1.899736, -0.331459, 3.327855",
        "dpm++ 2s a, 0.666572, -3.175357, -1.254393, 3.227858",
        "dpm++ 2m, 0.012711, -7.976583, -3.981936, 5.338907",
        "dpm++ 2m karras, 0.129835, -7.598156, -3.734161, 5.281828",
        "DPMSolverMultistepScheduler, -0.111360, -8.237913, -4.174637, 5.306343",
        "dpm++ 2m karras whole, 0.142782, -7.603281, -3.730250, 5.306824",
        "dpm++ sde, 0.788547, -2.737087, -0.974270, 3.138968",
        "dpm++ 2m sde, 1.063759, -1.678580, -0.307409, 2.891985",
        "dpm++ 3m sde, 0.220863, -3.742533, -1.760835, 2.863127",
        "unipc, -0.053411, -8.086791, -4.070100, 5.302176",
        "ddpm, 0.876166, -2.664249, -0.894041, 3.236444"
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

    @ParameterizedTest
    @CsvSource({"4, -3.004468, -9.702497, -6.353482, 1.460885", "8, -2.217924, -4.543139, -3.380532, -0.667779"})
    void fewStepsOfLatentConsistency(int steps, float a, float b, float c, float d) {
        float[] x = new Lcm()
                .sample(SamplerTest::toy, new float[] {1, -0.5f, 0.25f, 2}, SamplerTest::halves, steps, done -> {});
        assertArrayEquals(new float[] {a, b, c, d}, x, 1e-5f);
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
        Sigmas levels = Spacing.LINSPACE.levels(SCHEDULE, 10);
        for (int i = 0; i < 10; i++) assertEquals(known[i], levels.sigma(i), 6e-6);
    }

    @Test
    void leadingTimesteps() {
        double[] twenty = Spacing.LEADING.levels(SCHEDULE, 20).timesteps();
        assertArrayEquals(new double[] {951, 901, 851}, Arrays.copyOf(twenty, 3));
        assertEquals(1, twenty[19]);
        assertArrayEquals(
                new double[] {981, 961, 941},
                Arrays.copyOf(Spacing.LEADING.levels(SCHEDULE, 50).timesteps(), 3));
        assertEquals(999, Spacing.LEADING.levels(SCHEDULE, 1000).timesteps()[0]);
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
    void anyNumberOfStepsOnAnyScheduleEnds(int steps) {
        for (Sampler sampler : Sampler.ALL)
            for (Schedule schedule : Spacing.values()) {
                if (schedule == Spacing.LCM && steps > 50) continue;
                String what = sampler.displayName() + " on " + schedule.displayName();
                float[] x = sampler.on(schedule)
                        .sample(
                                (y, at) -> {
                                    double t = at.timestep();
                                    assertTrue(t >= 0 && t <= 999, what + " asks for timestep " + t);
                                    return toy(y, at);
                                },
                                new float[] {1},
                                SamplerTest::halves,
                                steps,
                                done -> {});
                assertTrue(Float.isFinite(x[0]), what);
            }
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1001})
    void otherNumbersOfStepsAreRefused(int steps) {
        for (Sampler sampler : Sampler.ALL) {
            Exception e = assertThrows(IllegalArgumentException.class, () -> sampler.on(Spacing.LEADING)
                    .sample(SamplerTest::toy, new float[] {1}, SamplerTest::halves, steps, done -> {}));
            assertEquals("the number of steps is 1 to 1000, got " + steps, e.getMessage());
        }
    }

    @Test
    void namesOfOtherTools() {
        assertSame(Sampler.named("Euler a"), Sampler.named("EulerAncestralDiscreteScheduler"));
        assertSame(Sampler.named("euler_a"), Sampler.named("EULER A"));
        assertSame(Sampler.named("PLMS"), Sampler.named("PNDMScheduler"));
        assertSame(Sampler.named("dpm++2m"), Sampler.named("dpmpp_2m"));
        assertSame(Sampler.named("DPM++ 2S a"), Sampler.named("dpm++2s_a"));
        assertEquals(new Dpmpp2M().on(Spacing.KARRAS), Sampler.named("DPM++ 2M Karras"));
        assertEquals(new Dpmpp3MSde(1).on(Spacing.EXPONENTIAL), Sampler.named("dpmpp_3m_sde_exponential"));
        assertEquals(new Ddim(0).on(Spacing.TRAILING), Sampler.named("ddim_trailing"));
        for (Sampler sampler : Sampler.ALL) {
            assertSame(sampler, Sampler.named(sampler.displayName()));
            for (String alias : sampler.aliases()) assertSame(sampler, Sampler.named(alias));
        }
        Exception e = assertThrows(IllegalArgumentException.class, () -> Sampler.named("warp"));
        assertEquals(
                "unknown sampler \"warp\"; there are ddim, plms, lms, euler, euler_a, heun, dpm2, dpm2_a, dpm++2s_a, dpm++2m,"
                        + " dpm++sde, dpm++2m_sde, dpm++3m_sde, unipc, lcm, ddpm",
                e.getMessage());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "karras | 14.61464 9.10293 5.47839 3.1686 1.74942 0.91407 0.44692 0.2014 0.08191 0.02917 0",
                "discrete | 14.61464 7.83988 4.60917 2.91831 1.95016 1.34493 0.93236 0.62498 0.36866 0.02917 0"
            })
    void sigmas(String schedule, String expected) {
        assertArrayEquals(
                Arrays.stream(expected.split(" "))
                        .mapToDouble(Double::parseDouble)
                        .toArray(),
                Schedule.named(schedule).levels(SCHEDULE, 10).sigmas(),
                6e-6);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "karras | 999 916.284 815.045 687.153 523.198 327.146 145.938 40.856 6.732 0 0",
                "time_uniform | 999 899 799 699 599 500 400 300 200 100 0",
                "trailing | 999 899 799 699 599 499 399 299 199 99 0"
            })
    void timesteps(String schedule, String expected) {
        assertArrayEquals(
                Arrays.stream(expected.split(" "))
                        .mapToDouble(Double::parseDouble)
                        .toArray(),
                Schedule.named(schedule).levels(SCHEDULE, 10).timesteps(),
                6e-4);
    }

    @Test
    void oneOfYourOwnIsALambda() {
        Sampler own = run -> (i, x) -> Euler.along(x, run.epsilon(x, i), run.sigma(i + 1) - run.sigma(i));
        float[] noise = {1, -0.5f, 0.25f, 2};
        assertArrayEquals(
                new Euler().sample(SamplerTest::toy, noise, SamplerTest::halves, 7, done -> {}),
                own.sample(SamplerTest::toy, noise, SamplerTest::halves, 7, done -> {}));
    }

    /** From the middle of the levels, as a picture with noise on it is taken up. */
    @Test
    void everySamplerBeginsAtAnyLevel() {
        for (Sampler sampler : Sampler.ALL)
            for (int first : new int[] {1, 6, 9}) {
                Sigmas levels = sampler.levels(SCHEDULE, 10).from(first);
                List<Integer> steps = new ArrayList<>();
                float[] x = sampler.sample(
                        SamplerTest::toy,
                        levels.start(new float[] {0.5f}, new float[] {1}),
                        levels,
                        SamplerTest::halves,
                        done -> steps.add(done.step()));
                assertEquals(10 - first, steps.size());
                assertTrue(Float.isFinite(x[0]), sampler.displayName());
            }
    }

    /** A listener may put back what is not to be repainted. */
    @Test
    void whatAListenerWritesCounts() {
        float[] x = new Euler()
                .sample(
                        SamplerTest::toy,
                        new float[] {1, 1},
                        SamplerTest::halves,
                        5,
                        done -> done.x()[0] = 3 + done.sigma());
        assertEquals(3, x[0], 1e-6);
        assertTrue(Math.abs(x[1] - 3) > 0.1);
    }

    @Test
    void exponentialIsEvenInTheLogarithm() {
        Sigmas levels = Spacing.EXPONENTIAL.levels(SCHEDULE, 10);
        for (int i = 1; i < 9; i++)
            assertEquals(levels.sigma(i) / levels.sigma(i - 1), levels.sigma(i + 1) / levels.sigma(i), 1e-12);
        assertEquals(14.614641229, levels.sigma(0), 1e-9);
        assertEquals(0.029167158, levels.sigma(9), 1e-9);
        assertEquals(0, levels.sigma(10));
    }
}
