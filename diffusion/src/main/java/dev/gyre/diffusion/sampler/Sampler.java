package dev.gyre.diffusion.sampler;

import java.util.List;

/**
 * Solves the diffusion ODE or SDE from noise to a sample, down the noise levels of a schedule. All samplers work on states x = x₀ + σ ε (see
 * {@link Sigmas}), flat and of any shape, in double precision; the model gets them in float32. A paper's formula for x_t = α x₀ + σ ε
 * applies with α = 1. A sampler of your own is {@code run -> (i, x) -> …}.
 */
@FunctionalInterface
public interface Sampler {
    /** The model, guidance included. A lambda predicts noise on Stable Diffusion's schedule. */
    @FunctionalInterface
    interface Model {
        /**
         * The network's prediction.
         *
         * @param x the state at unit variance, as the network was trained to see it
         */
        float[] predict(float[] x, StepInfo at);

        /** What it predicts. */
        default Prediction prediction() {
            return Prediction.EPSILON;
        }

        /** The noise schedule that it was trained on. */
        default NoiseSchedule noise() {
            return new NoiseSchedule();
        }
    }

    /**
     * Where in a run the model is evaluated; some samplers evaluate it more than once a step.
     *
     * @param step from 1
     * @param timestep 0 to 999, whole or not
     */
    record StepInfo(int step, int steps, double timestep, double sigma) {}

    /** Where standard normal numbers come from. */
    @FunctionalInterface
    interface Noise {
        /** The next {@code count} numbers; each call gives others. */
        float[] next(int count);
    }

    /** Is called after every step. What it throws ends the run. */
    @FunctionalInterface
    interface Listener {
        /** Called in the sampler's thread, which waits for it. */
        void step(Progress done);
    }

    /**
     * A step that is done.
     *
     * @param step from 1
     * @param sigma the noise level that is left
     * @param x the state at that level; the next step uses what is written into it
     * @param denoised the model's last prediction of the clean sample
     */
    record Progress(int step, int steps, double sigma, double[] x, double[] denoised) {}

    /** The steps of one run, with their history. */
    @FunctionalInterface
    interface Stepper {
        /**
         * From level i to level i + 1.
         *
         * @param i from 0, one after the other
         * @param x the state at level i, not to be changed
         * @return the state at level i + 1
         */
        double[] step(int i, double[] x);
    }

    /** All samplers. */
    List<Sampler> ALL = List.of(
            new Ddim(0),
            new Pndm(),
            new Lms(),
            new Euler(),
            new EulerAncestral(1),
            new Heun(),
            new Dpm2(),
            new Dpm2Ancestral(1),
            new Dpmpp2SAncestral(1),
            new Dpmpp2M(),
            new DpmppSde(1),
            new Dpmpp2MSde(1),
            new Dpmpp3MSde(1),
            new UniPc(),
            new Lcm(),
            new Ddpm());

    /** Starts a run. */
    Stepper stepper(SamplingRun run);

    /** The schedule that it was published with, or that most tools run it on. */
    default Schedule schedule() {
        return Spacing.LINSPACE;
    }

    /** The levels it takes where its schedule has these. */
    default Sigmas levels(Sigmas scheduled) {
        return scheduled;
    }

    /** The levels that it takes on its schedule, for a model that was trained on this noise schedule. */
    default Sigmas levels(NoiseSchedule noise, int steps) {
        return levels(schedule().levels(noise, steps));
    }

    /** This sampler on another schedule. */
    default Sampler on(Schedule schedule) {
        return new Scheduled(this, schedule);
    }

    /** This sampler without a schedule of its own. */
    default Sampler bare() {
        return this;
    }

    /**
     * This sampler with another η.
     *
     * @throws IllegalArgumentException when it adds no noise, or η is not 0 to 1
     */
    default Sampler withEta(double eta) {
        throw new IllegalArgumentException("eta: " + displayName() + " adds no noise");
    }

    /**
     * Generates a sample from noise.
     *
     * @param noise standard normal, the size of the sample
     * @param random noise for the steps, where the sampler adds any
     * @param steps 1 to 1000
     * @return the sample at the scale of the data
     */
    default float[] sample(Model model, float[] noise, Noise random, int steps, Listener listener) {
        Sigmas levels = levels(model.noise(), steps);
        return sample(model, levels.start(noise), levels, random, listener);
    }

    /**
     * Continues from a state.
     *
     * @param start at the first level: {@link Sigmas#start}
     * @param levels those of {@link #levels(NoiseSchedule, int)}, or the last of them
     * @return the sample at the scale of the data
     */
    default float[] sample(Model model, double[] start, Sigmas levels, Noise random, Listener listener) {
        return new SamplingRun(levels, model, random).from(start, this, listener);
    }

    /** The name in PNG parameters, AUTOMATIC1111's. */
    default String displayName() {
        return getClass().getSimpleName();
    }

    /** Other tools' names for it: stable-diffusion.cpp's first, then diffusers'. */
    default List<String> aliases() {
        return List.of();
    }

    /**
     * The sampler of this name, in the spelling of diffusers, AUTOMATIC1111, stable-diffusion.cpp or k-diffusion, with a schedule's name
     * behind it or not ("DPM++ 2M Karras"). Case, blanks, hyphens and underscores do not matter. diffusers' names bring diffusers'
     * schedules.
     *
     * @throws IllegalArgumentException listing all samplers
     */
    static Sampler named(String name) {
        return SamplerNames.find(name);
    }
}
