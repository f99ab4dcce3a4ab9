package dev.gyre.diffusion.network;

import dev.gyre.core.DType;
import dev.gyre.core.Executable;
import dev.gyre.core.Graph;
import dev.gyre.core.Shape;
import dev.gyre.core.Tensor;
import dev.gyre.core.Value;
import dev.gyre.core.jvm.JvmBackend;
import dev.gyre.diffusion.References;
import dev.gyre.diffusion.checkpoint.DiffusersKeys;
import dev.gyre.diffusion.family.SyntheticCheckpoint;
import dev.gyre.nn.Weights;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** A UNet whose levels differ as those of newer models do, against diffusers' in float64. */
class UNetLevelsTest {
    private static final UNet UNET = new UNet(
            4,
            4,
            List.of(new UNet.Level(32, 0, 2), new UNet.Level(64, 2, 4), new UNet.Level(96, 3, 6)),
            2,
            24,
            60,
            true,
            8,
            false);

    private final References golden = References.of("unet-levels.safetensors");
    private final Map<String, Tensor> weights = new HashMap<>();

    @Test
    void itsOutput() {
        // What is asked for is made up on the spot: the shape comes with the asking.
        DiffusersKeys names = DiffusersKeys.unet(3, 2, level -> level > 0);
        Weights asking = Weights.of(new Graph(), key -> Optional.ofNullable(weights.get(key)));
        build(asking.graph(), asking);
        asking.asked()
                .forEach((key, shape) -> weights.put(
                        key, hashed(names.diffusers(key).orElseThrow(() -> new AssertionError(key)), shape)));
        Graph graph = new Graph();
        Weights at = Weights.of(graph, key -> Optional.ofNullable(weights.get(key)));
        graph.output(build(graph, at));
        at.check();
        try (JvmBackend backend = new JvmBackend(2);
                Executable executable = backend.compile(graph)) {
            List<Tensor> outputs = executable.run(
                    given("x", 2, 4, 16, 16), given("t", 2), given("text", 2, 7, 24), given("vector", 2, 60));
            golden.check("y", outputs.getFirst().floats());
        }
    }

    private static Value build(Graph graph, Weights at) {
        Value x = graph.input("x", DType.F32, 2, 4, 16, 16), t = graph.input("t", DType.F32, 2);
        Value text = graph.input("text", DType.F32, 2, 7, 24);
        return UNET.build(x, t, text, UNET.vectorInput(graph, 2), at);
    }

    private Tensor given(String name, int... shape) {
        return Tensor.of(golden.file().floats(name), shape);
    }

    /** As the references' weights: by a hash of diffusers' name. */
    private static Tensor hashed(String key, Shape shape) {
        int n = shape.elements();
        float[] values = new float[n];
        for (int i = 0; i < n; i++) {
            double u = SyntheticCheckpoint.u(key, i);
            if (shape.rank() > 1) u *= Math.sqrt(3.0 / (n / shape.dim(0)));
            else u = (key.endsWith(".weight") ? 1 : 0) + 0.1 * u;
            values[i] = (float) u;
        }
        return Tensor.of(
                values, shape.dims().stream().mapToInt(Integer::intValue).toArray());
    }
}
