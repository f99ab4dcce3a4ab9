package dev.gyre.diffusion;

import dev.gyre.core.Backend;
import dev.gyre.core.Executable;
import dev.gyre.core.Graph;
import dev.gyre.core.Observer;
import dev.gyre.core.Tensor;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.Supplier;

/**
 * A model's graphs, compiled: the UNet of the size drawn last and what runs beside it stay for all steps of all pictures of that size,
 * everything else runs once and goes.
 */
final class Executables implements AutoCloseable {
    /** For guidance on and off, with and without control, and two nets. */
    private static final int MOST = 8;

    private final Backend backend;
    private final Map<Object, Executable> kept = new HashMap<>();
    private Observer observer = Observer.NONE;
    private long peakBytes;
    private OptionalLong room = OptionalLong.empty();

    Executables(Backend backend) {
        this.backend = backend;
    }

    /** Shows this observer what graphs make from here on. */
    void observe(Observer observer) {
        close();
        this.observer = observer;
    }

    /** What was compiled for a purpose, compiled now if need be. */
    Executable of(Object key, Supplier<Graph> graph) {
        Executable found = kept.get(key);
        if (found != null) return found;
        // What is left of other sizes and requests.
        if (kept.size() >= MOST) close();
        Executable made = compile(graph.get());
        kept.put(key, made);
        return made;
    }

    /** Compiles, runs and lets the memory go: what runs once a picture need not stay beside the UNet. */
    float[] runOnce(Graph graph, Tensor input, String what) {
        try (Executable executable = compile(graph)) {
            float[] result = executable.run(input).getFirst().floats();
            finite(result, what);
            return result;
        }
    }

    private Executable compile(Graph graph) {
        Executable executable = backend.compile(graph, observer);
        long others = kept.values().stream().mapToLong(Executable::peakBytes).sum();
        peakBytes = Math.max(peakBytes, executable.peakBytes() + others);
        return executable;
    }

    static void finite(float[] values, String what) {
        for (float v : values)
            if (!Float.isFinite(v)) throw new ArithmeticException(what + " gave a number that is not finite");
    }

    /** The most working memory that was planned at a time so far, in bytes. */
    long peakBytes() {
        return peakBytes;
    }

    /** The bytes of working memory that a graph would take. */
    long plan(Graph graph) {
        return backend.plan(graph);
    }

    /** The bytes of working memory that there are. */
    long room() {
        return room.orElseGet(Memory::available);
    }

    /** Sets how many there are. */
    void room(long bytes) {
        room = OptionalLong.of(bytes);
    }

    /** Lets go of what was kept: planning it again is cheap beside the decoder's working memory. */
    @Override
    public void close() {
        kept.values().forEach(Executable::close);
        kept.clear();
    }
}
