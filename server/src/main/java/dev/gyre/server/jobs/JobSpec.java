package dev.gyre.server.jobs;

import dev.gyre.core.Precision;
import dev.gyre.diffusion.request.Request;
import dev.gyre.server.models.ModelFile;
import java.util.List;

/**
 * What a job generates.
 *
 * @param model the model
 * @param precision the type of matrix multiplications
 * @param request without LoRAs, which are opened when the job runs
 * @param loras LoRAs by name
 * @param partialImages how many decoded previews each picture gets
 * @param previews whether every step comes with a small preview
 */
public record JobSpec(
        ModelFile model, Precision precision, Request request, List<Lora> loras, int partialImages, boolean previews) {
    private static final long MOST_PIXELS = 256 * 256;

    /** A LoRA by its file's name. */
    public record Lora(String name, double strength) {}

    public JobSpec {
        loras = List.copyOf(loras);
    }

    /**
     * Whether another job fits into a batch with this one: the same network at the same size. Prompts, seeds,
     * steps, samplers and initial images may differ. Large pictures are not batched: a batch takes as long as one after the other,
     * and the first would only wait for the last.
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
