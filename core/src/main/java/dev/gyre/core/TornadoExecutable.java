package dev.gyre.core;

import java.util.ArrayList;
import java.util.List;

/** A graph's use of a program that is on the device. */
final class TornadoExecutable implements Executable {
    private final Graph graph;
    private final TornadoProgram program;
    private final TornadoBackend backend;
    private boolean closed;

    TornadoExecutable(Graph graph, TornadoProgram program, TornadoBackend backend) {
        this.graph = graph;
        this.program = program;
        this.backend = backend;
    }

    @Override
    public synchronized List<Tensor> run(Tensor... inputs) {
        if (closed) throw new IllegalStateException("this executable is closed");
        graph.checkInputs(inputs);
        List<Tensor> flat = program.run(inputs);
        List<Tensor> outputs = new ArrayList<>();
        for (int i = 0; i < flat.size(); i++) {
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
