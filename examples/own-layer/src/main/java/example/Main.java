package example;

import dev.gyre.core.Backend;
import dev.gyre.core.DType;
import dev.gyre.core.Executable;
import dev.gyre.core.Graph;
import dev.gyre.core.Tensor;
import dev.gyre.core.jvm.JvmBackend;
import dev.gyre.core.tornado.TornadoBackend;
import java.util.Arrays;

/** Runs the layer on the JVM, and on TornadoVM's device where Java was started with it. */
public final class Main {
    public static void main(String[] args) {
        run(new JvmBackend());
        if (TornadoBackend.isAvailable()) run(new TornadoBackend());
        else System.out.println("no TornadoVM on this JVM: start with java @$TORNADOVM_HOME/tornado-argfile");
    }

    private static void run(Backend backend) {
        Graph graph = new Graph();
        graph.output(LeakyRelu.of(graph.input("x", DType.F32, 3), 0.1f));
        try (backend;
                Executable executable = backend.compile(graph)) {
            float[] y = executable.run(Tensor.of(new float[] {-1, 0, 2}, 3)).get(0).floats();
            String where = backend instanceof TornadoBackend tornado ? " on " + tornado.device() : "";
            System.out.println(backend.name() + where + ": " + Arrays.toString(y));
        }
    }
}
