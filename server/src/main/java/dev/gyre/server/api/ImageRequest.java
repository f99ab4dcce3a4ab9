package dev.gyre.server.api;

import dev.gyre.server.images.ImageFormat;
import dev.gyre.server.jobs.JobSpec;
import java.util.List;

/**
 * A call of one of the image endpoints, understood.
 *
 * @param kind which
 * @param order what is to be drawn
 * @param urls whether pictures are answered as URLs
 * @param base64 whether pictures are answered as they are
 * @param format of the pictures
 * @param quality 0 to 100, for formats that lose some
 * @param stream whether the answer comes as it is made
 * @param progress whether a streamed answer tells of the queue and of every step
 * @param notes what should be known about the fields
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

        /** What names of its events begin with. */
        String event() {
            return event;
        }
    }
}
