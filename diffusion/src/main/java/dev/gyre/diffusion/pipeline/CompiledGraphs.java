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
 * A model's compiled graphs. Those of the UNet and of ControlNets are kept for all steps of all pictures of a size; all others run once and
 * are freed.
 */
public final class CompiledGraphs implements AutoCloseable {
    /** Enough for guidance on and off, with and without control, and two ControlNets. */
    private static final int MAX_KEPT = 8;

    private final Backend backend;
    private final Map<Object, Executable> kept = new HashMap<>();
    private Observer observer = Observer.NONE;
    private long peakBytes;
    private OptionalLong room = OptionalLong.empty();

    public CompiledGraphs(Backend backend) {
        this.backend = backend;
    }

    /** Shows this observer what graphs compute from here on. */
    public void observe(Observer observer) {
        close();
        this.observer = observer;
    }

    /**
     * Runs the graph of a key, compiled now if it is not kept.
     *
     * @param what runs, for error messages
     * @throws ArithmeticException when it gives NaN or infinity, naming where that first appears
     */
    List<Tensor> run(Object key, Supplier<Graph> graph, String what, Tensor... inputs) {
        Executable executable = kept.get(key);
        if (executable == null) {
            // Graphs of other sizes and requests.
            if (kept.size() >= MAX_KEPT) close();
            executable = compile(graph.get());
            kept.put(key, executable);
        }
        List<Tensor> outputs = executable.run(inputs);
        for (Tensor output : outputs)
            if (!NonFiniteSearch.finite(output.floats())) throw nonFinite(what, graph.get(), inputs);
        return outputs;
    }

    /** Compiles, runs and frees the memory: what runs once a picture need not stay beside the UNet. */
    List<float[]> runOnce(Graph graph, String what, Tensor... inputs) {
        List<float[]> results;
        try (Executable executable = compile(graph)) {
            results = executable.run(inputs).stream().map(Tensor::floats).toList();
        }
        for (float[] result : results) if (!NonFiniteSearch.finite(result)) throw nonFinite(what, graph, inputs);
        return results;
    }

    /** Searches on the JVM alone: a device would have to hold every observed value at once. */
    private ArithmeticException nonFinite(String what, Graph graph, Tensor... inputs) {
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

    /** The most working memory that was planned at one time so far, in bytes. */
    public long peakBytes() {
        return peakBytes;
    }

    /** The bytes of working memory that a graph would take. */
    long plan(Graph graph) {
        return backend.plan(graph);
    }

    /** The bytes of working memory that may be used. */
    long availableMemory() {
        return room.orElseGet(AvailableMemory::available);
    }

    /** Sets how many bytes of working memory may be used. */
    public void memoryLimit(long bytes) {
        room = OptionalLong.of(bytes);
    }

    /** Frees the kept graphs: to plan them again is cheap beside the decoder's working memory. */
    @Override
    public void close() {
        kept.values().forEach(Executable::close);
        kept.clear();
    }
}
