package dev.gyre.diffusion.output;

import dev.gyre.core.Tensor;
import java.time.Duration;

/** Listens to a request's progress, in the thread that generates. What it throws ends the request. */
public interface Progress {
    /** Ignores everything. */
    Progress NONE = new Progress() {};

    /** A sentence for the user: that a prompt was cut, that a picture was resized. */
    default void note(String sentence) {}

    /** A step of the sampler is done for one picture; pictures of a batch may take each step together. */
    default void step(Step step) {}

    /**
     * A picture's latents are final.
     *
     * @param picture from 1
     * @param latents [4, height, width] at the scale that the UNet works with; the listener's to keep
     */
    default void latents(int picture, Tensor latents) {}

    /** A picture of the batch is done. */
    default void picture(Picture picture) {}

    /** A phase is done, for all pictures: {@code text}, {@code denoise} or {@code decode}. */
    default void done(String phase, Duration time) {}

    /** Is polled before every run of the UNet and every decoding; true ends the request, within a step. */
    default boolean cancelled() {
        return false;
    }

    /**
     * A step of the sampler.
     *
     * @param picture from 1
     * @param step from 1
     * @param sigma the noise level that is left
     * @param left an estimate of the time until this picture's last step, from the steps so far
     * @param previews of the model's current prediction of the picture
     */
    record Step(int picture, int pictures, int step, int steps, double sigma, Duration left, Previews previews) {}

    /** Previews of a step, computed when called. Valid during the call of the listener. */
    interface Previews {
        /** A pixel for each latent, by a linear approximation of the decoder: costs next to nothing. */
        Preview approximate();

        /** The predicted latents, [4, height, width] at the scale that the UNet works with; the caller's to keep. */
        Tensor latents();

        /** Decoded by the VAE, at the size that the model works at: costs as much as decoding the picture. */
        Preview decoded();
    }
}
