package dev.gyre.server.jobs;

import dev.gyre.core.Precision;
import dev.gyre.diffusion.Request;
import dev.gyre.server.models.ModelFile;
import java.util.List;

/**
 * What a job draws.
 *
 * @param model that draws it
 * @param precision that it computes in
 * @param request without the adapters, which are opened when its turn comes
 * @param loras adapters by name
 * @param looks how many times each picture is looked at while it is drawn, decoded
 * @param glances whether every step is told of with a small picture
 */
public record Order(
        ModelFile model, Precision precision, Request request, List<Lora> loras, int looks, boolean glances) {
    private static final long MOST_PIXELS = 256 * 256;

    /** An adapter by its file's name. */
    public record Lora(String name, double strength) {}

    public Order {
        loras = List.copyOf(loras);
    }

    /**
     * Whether another can be drawn with this one in the same runs of the network. Where pictures are large a run for several takes as
     * long as several runs, and the first would only wait for the last.
     */
    public boolean goesWith(Order other) {
        return model.equals(other.model)
                && precision.equals(other.precision)
                && loras.equals(other.loras)
                && size().equals(other.size())
                && pixels() <= MOST_PIXELS;
    }

    private Request.Size size() {
        return request.size().orElse(new Request.Size(model.side(), model.side()));
    }

    /** That the network works at. */
    private long pixels() {
        int side = request.start().isPresent()
                ? Integer.MAX_VALUE
                : model.nativeSize().orElse(Integer.MAX_VALUE);
        return (long) Math.min(side, size().width()) * Math.min(side, size().height());
    }
}
