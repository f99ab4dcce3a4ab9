package dev.gyre.diffusion;

import java.time.Duration;

/** Told how a drawing goes on. What it throws ends the drawing. */
public interface Progress {
    /** Hears nothing. */
    Progress NONE = new Progress() {};

    /** Something the user should know: a prompt that was cut, a size that was not drawn at. */
    default void note(String sentence) {}

    /**
     * A step of the sampler is done.
     *
     * @param picture from 1
     * @param step from 1
     */
    default void step(int picture, int pictures, int step, int steps) {}

    /** A picture of the batch is there; the next follows. */
    default void picture(Picture picture) {}

    /** A phase is done, for all pictures: {@code text}, {@code denoise} or {@code decode}. */
    default void done(String phase, Duration time) {}
}
