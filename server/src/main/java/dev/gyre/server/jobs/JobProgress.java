package dev.gyre.server.jobs;

import dev.gyre.diffusion.output.Picture;
import dev.gyre.diffusion.output.Preview;
import dev.gyre.diffusion.output.Progress;
import java.util.Optional;

/** Turns the progress of a generation into a job's events. */
final class JobProgress implements Progress {
    private final Job job;
    private int drawn;

    JobProgress(Job job) {
        this.job = job;
    }

    @Override
    public void note(String sentence) {
        job.tell(new Event.Note(sentence));
    }

    @Override
    public void step(Step step) {
        boolean last = step.step() == step.steps();
        Optional<Preview> glance =
                job.order().previews() && !last ? Optional.of(step.previews().approximate()) : Optional.empty();
        job.tell(new Event.Stepped(step, glance));
        // Partial images divide the steps into equal parts; the last step is the picture itself.
        int looks = job.order().partialImages();
        int before = (step.step() - 1) * (looks + 1) / step.steps(), now = step.step() * (looks + 1) / step.steps();
        if (now > before && !last)
            job.tell(new Event.Look(step.picture() - 1, now - 1, step.previews().decoded()));
    }

    @Override
    public void picture(Picture picture) {
        job.tell(new Event.Drawn(drawn++, picture));
    }

    @Override
    public boolean cancelled() {
        return job.isCancelled();
    }
}
