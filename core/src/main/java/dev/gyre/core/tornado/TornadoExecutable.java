package dev.gyre.core.tornado;

import dev.gyre.core.Executable;
import dev.gyre.core.Graph;
import dev.gyre.core.Tensor;
import dev.gyre.core.Value;
import dev.gyre.core.plan.GraphInputs;
import dev.gyre.core.plan.ObservedValues;
import dev.gyre.core.profile.RunEvent;
import java.util.ArrayList;
import java.util.List;

/** A graph compiled for a device: a handle on a program on the device. */
final class TornadoExecutable implements Executable {
    private final Graph graph;
    private final TornadoProgram program;
    private final TornadoBackend backend;
    private final ObservedValues observed;
    private boolean closed;

    TornadoExecutable(Graph graph, TornadoProgram program, TornadoBackend backend, ObservedValues observed) {
        this.graph = graph;
        this.program = program;
        this.backend = backend;
        this.observed = observed;
    }

    @Override
    public synchronized List<Tensor> run(Tensor... inputs) {
        if (closed) throw new IllegalStateException("this executable is closed");
        GraphInputs.check(graph, inputs);
        RunEvent event = new RunEvent();
        event.begin();
        long start = System.nanoTime();
        List<Tensor> flat = program.run(inputs);
        program.options().profiler().ran(graph, start, System.nanoTime() - start);
        event.ran(graph);
        int count = graph.outputs().size();
        observed.deliver(flat.subList(count, flat.size()));
        List<Tensor> outputs = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Value output = graph.outputs().get(i);
            outputs.add(new Tensor(output.dtype(), output.shape(), flat.get(i).data()));
        }
        return outputs;
    }

    @Override
    public long peakBytes() {
        return program.program().workingBytes();
    }

    @Override
    public synchronized void close() {
        if (closed) return;
        closed = true;
        backend.closed(program);
    }
}
