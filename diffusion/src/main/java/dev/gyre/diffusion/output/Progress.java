package dev.gyre.diffusion.output;

import dev.gyre.core.Tensor;
import java.time.Duration;

/** Told how a drawing goes on, in the thread that draws. What it throws ends the drawing. */
public interface Progress {
    /** Hears nothing. */
    Progress NONE = new Progress() {};

    /** Something the user should know: a prompt that was cut, a size that was not drawn at. */
    default void note(String sentence) {}

    /** A step of the sampler is done, for one picture; several may be drawn together, and take a step each before the next. */
    default void step(Step step) {}

    /**
     * A picture's latents are as they will be decoded.
     *
     * @param picture from 1
     * @param latents [4, height, width] at the scale that the UNet works with; the listener's to keep
     */
    default void latents(int picture, Tensor latents) {}

    /** A picture of the batch is there; the next follows. */
    default void picture(Picture picture) {}

    /** A phase is done, for all pictures: {@code text}, {@code denoise} or {@code decode}. */
    default void done(String phase, Duration time) {}

    /** Asked before every run of the UNet and every decoding, so from any thread's word the drawing ends within one step. */
    default boolean cancelled() {
        return false;
    }

    /**
     * A step of the sampler.
     *
     * @param picture from 1
     * @param step from 1
     * @param sigma how much noise is left
     * @param left an estimate of the time until this picture's last step, from the steps so far
     * @param previews how the picture would look if the model were right already
     */
    record Step(int picture, int pictures, int step, int steps, double sigma, Duration left, Previews previews) {}

    /** What is looked at costs time; nothing else does. Only while the step is being told of. */
    interface Previews {
        /** A pixel for each latent, by a matrix fitted to such pictures: next to nothing. */
        Preview approximate();

        /** The latents of that, [4, height, width] at the scale that the UNet works with; the caller's to keep. */
        Tensor latents();

        /** Decoded, at the size that the model works at: as long as decoding the picture takes. */
        Preview decoded();
    }
}
