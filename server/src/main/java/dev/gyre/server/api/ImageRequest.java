package dev.gyre.server.api;

import dev.gyre.server.images.ImageFormat;
import dev.gyre.server.jobs.JobSpec;
import java.util.List;

/**
 * A parsed request to one of the image endpoints.
 *
 * @param kind the endpoint
 * @param order what to generate
 * @param urls whether the response has URLs
 * @param base64 whether the response has the files in base64
 * @param format of the pictures
 * @param quality 0 to 100, for lossy formats
 * @param stream whether the response is a stream of events
 * @param progress whether the stream has events of the queue and of every step
 * @param notes about the fields
 */
record ImageRequest(
        Kind kind,
        JobSpec order,
        boolean urls,
        boolean base64,
        ImageFormat format,
        int quality,
        boolean stream,
        boolean progress,
        List<String> notes) {
    /** The endpoints. */
    enum Kind {
        GENERATION("image_generation"),
        EDIT("image_edit"),
        VARIATION("image_variation");

        private final String event;

        Kind(String event) {
            this.event = event;
        }

        /** The prefix of its events' names. */
        String event() {
            return event;
        }
    }
}
