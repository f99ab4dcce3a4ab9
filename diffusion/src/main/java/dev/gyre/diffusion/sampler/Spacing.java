package dev.gyre.diffusion.sampler;

import static dev.gyre.diffusion.sampler.NoiseSchedule.TIMESTEPS;

import java.util.List;
import java.util.function.BiFunction;
import java.util.stream.IntStream;

/** The schedules of common tools. */
public enum Spacing implements Schedule {
    /** k · ⌊1000 / steps⌋ + 1, as CompVis and diffusers have it for DDIM and PNDM ({@code steps_offset} 1). */
    LEADING("Leading", List.of("leading"), Spacing::leading),
    /** Evenly spaced from 999 to 0, whole or not; σ linear between whole timesteps. diffusers' for Euler and its kin. */
    LINSPACE("Linspace", List.of("linspace"), (noise, steps) -> Sigmas.at(noise, linspace(steps), false)),
    /** The same timesteps with log σ linear between whole ones: k-diffusion's {@code get_sigmas}. */
    UNIFORM("Uniform", List.of("discrete", "uniform", "normal"), Spacing::uniform),
    /** Evenly spaced from 999 to 0 in one step more, without the last, rounded. diffusers' linspace for DPM-Solver++ and UniPC. */
    TIME_UNIFORM("Time uniform", List.of("time_uniform"), Spacing::timeUniform),
    /** Whole timesteps from 999 down, without 0: diffusers' trailing. */
    TRAILING("Trailing", List.of("trailing"), Spacing::trailing),
    /** Evenly spaced in σ^(1/7) (Karras et al. 2022, equation 5). */
    KARRAS("Karras", List.of("karras"), Spacing::karras),
    /** The same levels with rounded timesteps, as diffusers has them for DPM-Solver++ and UniPC. */
    KARRAS_WHOLE("Karras whole", List.of("karras_whole"), (noise, steps) -> karras(noise, steps)
            .rounded()),
    /** Evenly spaced in log σ. */
    EXPONENTIAL("Exponential", List.of("exponential"), Spacing::exponential),
    /** A subset of the 50 timesteps that latent consistency models are distilled at: 999, 979, … 19. */
    LCM("LCM", List.of("lcm"), Spacing::consistency);

    private static final double RHO = 7;
    private static final int DISTILLED = 50;

    private final String displayName;
    private final List<String> aliases;
    private final BiFunction<NoiseSchedule, Integer, Sigmas> levels;

    Spacing(String displayName, List<String> aliases, BiFunction<NoiseSchedule, Integer, Sigmas> levels) {
        this.displayName = displayName;
        this.aliases = aliases;
        this.levels = levels;
    }

    @Override
    public Sigmas levels(NoiseSchedule noise, int steps) {
        if (steps < 1 || steps > TIMESTEPS)
            throw new IllegalArgumentException("the number of steps is 1 to " + TIMESTEPS + ", got " + steps);
        return levels.apply(noise, steps);
    }

    @Override
    public String displayName() {
        return displayName;
    }

    @Override
    public List<String> aliases() {
        return aliases;
    }

    private static Sigmas leading(NoiseSchedule noise, int steps) {
        int stride = TIMESTEPS / steps;
        int offset = steps == TIMESTEPS ? 0 : 1; // At 1000 steps it would leave the schedule.
        return Sigmas.at(
                noise,
                IntStream.range(0, steps)
                        .mapToDouble(i -> (steps - 1 - i) * stride + offset)
                        .toArray(),
                true);
    }

    /** A single step is taken from 999. */
    private static double[] linspace(int steps) {
        return IntStream.range(0, steps)
                .mapToDouble(i -> (TIMESTEPS - 1) * (1 - part(i, steps)))
                .toArray();
    }

    private static Sigmas uniform(NoiseSchedule noise, int steps) {
        double[] timesteps = linspace(steps), sigmas = new double[steps + 1];
        for (int i = 0; i < steps; i++) sigmas[i] = noise.sigmaByLog(timesteps[i]);
        double[] all = java.util.Arrays.copyOf(timesteps, steps + 1);
        return new Sigmas(noise, all, sigmas, false);
    }

    private static Sigmas timeUniform(NoiseSchedule noise, int steps) {
        // 1000 steps do not fit on 999 whole timesteps.
        return Sigmas.at(
                noise,
                IntStream.range(0, steps)
                        .mapToDouble(i -> (TIMESTEPS - 1) * (double) (steps - i) / steps)
                        .map(t -> steps == TIMESTEPS ? t : Math.rint(t))
                        .toArray(),
                true);
    }

    private static Sigmas trailing(NoiseSchedule noise, int steps) {
        return Sigmas.at(
                noise,
                IntStream.range(0, steps)
                        .mapToDouble(i -> Math.rint(TIMESTEPS - i * ((double) TIMESTEPS / steps)) - 1)
                        .toArray(),
                false);
    }

    private static Sigmas karras(NoiseSchedule noise, int steps) {
        double most = Math.pow(noise.sigma(TIMESTEPS - 1), 1 / RHO);
        double least = Math.pow(noise.sigma(0), 1 / RHO);
        return Sigmas.of(
                noise,
                IntStream.range(0, steps)
                        .mapToDouble(i -> Math.pow(most + part(i, steps) * (least - most), RHO))
                        .toArray());
    }

    private static Sigmas exponential(NoiseSchedule noise, int steps) {
        double most = Math.log(noise.sigma(TIMESTEPS - 1)), least = Math.log(noise.sigma(0));
        return Sigmas.of(
                noise,
                IntStream.range(0, steps)
                        .mapToDouble(i -> Math.exp(most + part(i, steps) * (least - most)))
                        .toArray());
    }

    private static Sigmas consistency(NoiseSchedule noise, int steps) {
        if (steps > DISTILLED)
            throw new IllegalArgumentException(
                    "the number of steps on the LCM schedule is 1 to " + DISTILLED + ", got " + steps);
        int stride = TIMESTEPS / DISTILLED;
        return Sigmas.at(
                noise,
                IntStream.range(0, steps)
                        .mapToDouble(i -> (DISTILLED - i * DISTILLED / steps) * stride - 1)
                        .toArray(),
                true);
    }

    /** From 0 for the first step to 1 for the last. */
    private static double part(int i, int steps) {
        return steps == 1 ? 0 : (double) i / (steps - 1);
    }
}
