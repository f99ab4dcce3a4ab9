package dev.gyre.diffusion.output;

import dev.gyre.diffusion.sampler.Sampler;
import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** A step of a sampler, for the JVM's Flight Recorder. */
@Name("dev.gyre.Step")
@Label("Step")
@Category("Gyre")
@Description("A step of a sampler")
@StackTrace(false)
public final class StepEvent extends Event {
    @Label("Picture")
    @Description("The first of the pictures that are generated together, from 1")
    int picture;

    @Label("Pictures")
    @Description("How many are generated together")
    int pictures;

    @Label("Step")
    int step;

    @Label("Steps")
    int steps;

    @Label("Sigma")
    @Description("The noise level that is left")
    double sigma;

    /** Ends and commits it; it may begin again. */
    public void taken(int picture, int pictures, Sampler.Progress done) {
        end();
        if (!shouldCommit()) return;
        this.picture = picture;
        this.pictures = pictures;
        step = done.step();
        steps = done.steps();
        sigma = done.sigma();
        commit();
    }
}
