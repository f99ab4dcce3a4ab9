package dev.gyre.diffusion.pipeline;

import dev.gyre.core.Backend;
import dev.gyre.core.Executable;
import dev.gyre.core.Graph;
import dev.gyre.core.Observer;
import dev.gyre.core.Tensor;
import dev.gyre.core.jvm.JvmBackend;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.Supplier;

/**
 * A model's graphs, compiled: the UNet of the size drawn last and what runs beside it stay for all steps of all pictures of that size,
 * everything else runs once and goes.
 */
public final class CompiledGraphs implements AutoCloseable {
    /** For guidance on and off, with and without control, and two nets. */
    private static final int MOST = 8;

    private final Backend backend;
    private final Map<Object, Executable> kept = new HashMap<>();
    private Observer observer = Observer.NONE;
    private long peakBytes;
    private OptionalLong room = OptionalLong.empty();

    public CompiledGraphs(Backend backend) {
        this.backend = backend;
    }

    /** Shows this observer what graphs make from here on. */
    public void observe(Observer observer) {
        close();
        this.observer = observer;
    }

    /**
     * Runs what was compiled for a purpose, compiled now if need be.
     *
     * @param what runs, for the sentence that says so
     * @throws ArithmeticException when it gives a number that is not finite, saying where that came from
     */
    List<Tensor> run(Object key, Supplier<Graph> graph, String what, Tensor... inputs) {
        Executable executable = kept.get(key);
        if (executable == null) {
            // What is left of other sizes and requests.
            if (kept.size() >= MOST) close();
            executable = compile(graph.get());
            kept.put(key, executable);
        }
        List<Tensor> outputs = executable.run(inputs);
        for (Tensor output : outputs)
            if (!NonFiniteSearch.finite(output.floats())) throw notFinite(what, graph.get(), inputs);
        return outputs;
    }

    /** Compiles, runs and frees the memory: what runs once a picture need not stay beside the UNet. */
    List<float[]> runOnce(Graph graph, String what, Tensor... inputs) {
        List<float[]> results;
        try (Executable executable = compile(graph)) {
            results = executable.run(inputs).stream().map(Tensor::floats).toList();
        }
        for (float[] result : results) if (!NonFiniteSearch.finite(result)) throw notFinite(what, graph, inputs);
        return results;
    }

    /** On a device all that is looked at would have to fit into its memory at once. */
    private ArithmeticException notFinite(String what, Graph graph, Tensor... inputs) {
        close();
        NonFiniteSearch search = new NonFiniteSearch();
        if (!search.isGiven(graph, inputs) && backend instanceof JvmBackend)
            try (Executable observed = backend.compile(graph, search)) {
                observed.run(inputs);
            }
        return new ArithmeticException(what + " gave a number that is not finite" + search.where());
    }

    private Executable compile(Graph graph) {
        Executable executable = backend.compile(graph, observer);
        long others = kept.values().stream().mapToLong(Executable::peakBytes).sum();
        peakBytes = Math.max(peakBytes, executable.peakBytes() + others);
        return executable;
    }

    public static void finite(float[] values, String what) {
        if (!NonFiniteSearch.finite(values)) throw new ArithmeticException(what + " gave a number that is not finite");
    }

    /** The most working memory that was planned at a time so far, in bytes. */
    public long peakBytes() {
        return peakBytes;
    }

    /** The bytes of working memory that a graph would take. */
    long plan(Graph graph) {
        return backend.plan(graph);
    }

    /** The bytes of working memory that there are. */
    long room() {
        return room.orElseGet(AvailableMemory::available);
    }

    /** Sets how many there are. */
    public void room(long bytes) {
        room = OptionalLong.of(bytes);
    }

    /** Lets go of what was kept: planning it again is cheap beside the decoder's working memory. */
    @Override
    public void close() {
        kept.values().forEach(Executable::close);
        kept.clear();
    }
}
