package dev.gyre.server.jobs;

import dev.gyre.diffusion.output.Picture;
import dev.gyre.diffusion.output.Preview;
import dev.gyre.diffusion.output.Progress;
import java.util.Optional;

/** What becomes of a job, in this order; each kind may come several times but for the last two, of which there is one. */
public sealed interface Event {
    /** @param position jobs before it, 0 when it is next */
    record Waiting(int position) implements Event {}

    /** It is being drawn. */
    record Started() implements Event {}

    /** Something the user should know. */
    record Note(String sentence) implements Event {}

    /** A step is done; with a small picture where that was wanted. */
    record Stepped(Progress.Step step, Optional<Preview> preview) implements Event {}

    /**
     * How a picture looks by now.
     *
     * @param picture from 0
     * @param number from 0
     */
    record Look(int picture, int number, Preview preview) implements Event {}

    /** @param index from 0 */
    record Drawn(int index, Picture picture) implements Event {}

    /** All pictures are drawn. */
    record Finished() implements Event {}

    /** There will be no more pictures. */
    record Failed(Throwable cause) implements Event {}
}
