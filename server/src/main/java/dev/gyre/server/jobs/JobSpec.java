package dev.gyre.server.jobs;

import dev.gyre.core.Precision;
import dev.gyre.diffusion.request.Request;
import dev.gyre.server.models.ModelFile;
import java.util.List;

/**
 * What a job draws.
 *
 * @param model that draws it
 * @param precision that it computes in
 * @param request without the adapters, which are opened when its turn comes
 * @param loras adapters by name
 * @param partialImages how many times each picture is looked at while it is drawn, decoded
 * @param previews whether every step is told of with a small picture
 */
public record JobSpec(
        ModelFile model, Precision precision, Request request, List<Lora> loras, int partialImages, boolean previews) {
    private static final long MOST_PIXELS = 256 * 256;

    /** An adapter by its file's name. */
    public record Lora(String name, double strength) {}

    public JobSpec {
        loras = List.copyOf(loras);
    }

    /**
     * Whether another can be drawn with this one in the same runs of the network: by the same network, at the same size. Prompts, seeds,
     * steps, samplers, and pictures to begin with are each one's own. Where pictures are large a run for several takes as long as several
     * runs, and the first would only wait for the last.
     */
    public boolean goesWith(JobSpec other) {
        return model.equals(other.model)
                && precision.equals(other.precision)
                && loras.equals(other.loras)
                && request.network().equals(other.request.network())
                && generated().equals(other.generated())
                && (long) generated().width() * generated().height() <= MOST_PIXELS;
    }

    private Request.Size generated() {
        return model.generated(request);
    }
}
