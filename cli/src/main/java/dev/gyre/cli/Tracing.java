package dev.gyre.cli;

import dev.gyre.core.Profiler;
import dev.gyre.core.profile.Trace;
import dev.gyre.diffusion.output.Progress;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/** The file that {@code --trace} writes; without it, none. */
final class Tracing implements AutoCloseable {
    static final Tracing NONE = new Tracing(Optional.empty());

    private final Optional<Trace> trace;
    private long last = System.nanoTime(); // when the last step was done
    private int step;

    private Tracing(Optional<Trace> trace) {
        this.trace = trace;
    }

    /** @param file null for none */
    static Tracing to(Path file) throws IOException {
        return file == null ? NONE : new Tracing(Optional.of(Trace.to(file)));
    }

    Optional<Profiler> profiler() {
        return trace.map(one -> one);
    }

    /** Pictures of a batch take a step together, which is written once. */
    void step(Progress.Step done) {
        if (trace.isEmpty()) return;
        long now = System.nanoTime();
        if (done.step() != step) {
            Map<String, Object> details = Map.of("picture", done.picture(), "sigma", done.sigma());
            trace.get().span("steps", "step " + done.step() + " of " + done.steps(), last, now - last, details);
        }
        step = done.step();
        last = now;
    }

    @Override
    public void close() throws IOException {
        if (trace.isPresent()) trace.get().close();
    }
}
