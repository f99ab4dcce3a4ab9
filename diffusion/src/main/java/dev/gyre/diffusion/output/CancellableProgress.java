package dev.gyre.diffusion.output;

import dev.gyre.core.Tensor;
import java.time.Duration;
import java.util.function.BooleanSupplier;

/** Wraps a listener, with another condition to cancel. */
public record CancellableProgress(Progress told, BooleanSupplier stopped) implements Progress {
    @Override
    public void note(String sentence) {
        told.note(sentence);
    }

    @Override
    public void step(Step step) {
        told.step(step);
    }

    @Override
    public void latents(int picture, Tensor latents) {
        told.latents(picture, latents);
    }

    @Override
    public void picture(Picture picture) {
        told.picture(picture);
    }

    @Override
    public void done(String phase, Duration time) {
        told.done(phase, time);
    }

    @Override
    public boolean cancelled() {
        return stopped.getAsBoolean() || told.cancelled();
    }
}
