package dev.gyre.server.jobs;

import dev.gyre.diffusion.output.Picture;
import dev.gyre.diffusion.output.Preview;
import dev.gyre.diffusion.output.Progress;
import java.util.Optional;

/** An event of a job. They come in this order; one of the last two ends the job. */
public sealed interface Event {
    /** @param position jobs before it, 0 when it is next */
    record Waiting(int position) implements Event {}

    /** The job runs. */
    record Started() implements Event {}

    /** A sentence for the user. */
    record Note(String sentence) implements Event {}

    /** A step is done; with a small preview if the job has previews. */
    record Stepped(Progress.Step step, Optional<Preview> preview) implements Event {}

    /**
     * A partial image, decoded.
     *
     * @param picture from 0
     * @param number from 0
     */
    record Look(int picture, int number, Preview preview) implements Event {}

    /** @param index from 0 */
    record Drawn(int index, Picture picture) implements Event {}

    /** All pictures are done. */
    record Finished() implements Event {}

    /** The job failed: there are no more pictures. */
    record Failed(Throwable cause) implements Event {}
}
