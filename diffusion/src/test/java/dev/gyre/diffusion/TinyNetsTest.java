package dev.gyre.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gyre.core.Backend;
import dev.gyre.core.DType;
import dev.gyre.core.Executable;
import dev.gyre.core.Graph;
import dev.gyre.core.Shape;
import dev.gyre.core.Tensor;
import dev.gyre.core.Value;
import dev.gyre.core.jvm.JvmBackend;
import dev.gyre.diffusion.network.TextEncoder;
import dev.gyre.diffusion.network.UNet;
import dev.gyre.diffusion.network.Vae;
import dev.gyre.nn.Weights;
import dev.gyre.nn.embedding.TimestepEmbedding;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.IntToDoubleFunction;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Small networks of every kind, with weights by formula, against float64 outputs of the original code; definitions and faster ways. */
class TinyNetsTest {
    static Stream<Backend> backends() {
        return Stream.of(JvmBackend.ofDefinitions(), new JvmBackend(2));
    }

    @ParameterizedTest
    @MethodSource("backends")
    void unet(Backend backend) throws IOException {
        UNet net = new UNet(4, 4, List.of(32, 64, 128, 128), 2, List.of(true, true, true, false), 24, 4, 32);
        check(
                "unet_tiny_b2_16x16",
                backend,
                (graph, weights) -> {
                    Value x = graph.input("x", DType.F32, 2, 4, 16, 16);
                    Value t = graph.input("t", DType.F32, 2);
                    Value text = graph.input("text", DType.F32, 2, 7, 24);
                    return net.build(x, t, text, Optional.empty(), weights.at("model.diffusion_model"));
                },
                Tensor.of(series(2 * 4 * 256, i -> Math.sin(0.05 * i)), 2, 4, 16, 16),
                Tensor.of(new float[] {981, 1}, 2),
                Tensor.of(series(2 * 7 * 24, i -> Math.cos(0.03 * i)), 2, 7, 24));
    }

    @ParameterizedTest
    @MethodSource("backends")
    void decoder(Backend backend) throws IOException {
        Vae vae = new Vae(4, List.of(32, 64, 128, 128), 2, 32);
        check(
                "vae_decoder_tiny_8x8",
                backend,
                (graph, weights) ->
                        vae.decoder(graph.input("z", DType.F32, 1, 4, 8, 8), weights.at("first_stage_model")),
                Tensor.of(series(4 * 64, i -> Math.sin(0.05 * i)), 1, 4, 8, 8));
    }

    @ParameterizedTest
    @MethodSource("backends")
    void encoder(Backend backend) throws IOException {
        Vae vae = new Vae(4, List.of(32, 64, 128, 128), 2, 32);
        check(
                "vae_encoder_tiny_64x64",
                backend,
                (graph, weights) ->
                        vae.encoder(graph.input("x", DType.F32, 1, 3, 64, 64), weights.at("first_stage_model")),
                Tensor.of(series(3 * 64 * 64, i -> Math.sin(0.01 * i)), 1, 3, 64, 64));
    }

    @ParameterizedTest
    @MethodSource("backends")
    void textEncoder(Backend backend) throws IOException {
        TextEncoder net = new TextEncoder(49408, 77, 64, 256, 3, 4);
        int[] ids = new int[77];
        Arrays.fill(ids, 49407);
        JsonNode given = reference("clip_tiny_77").get("config").get("ids");
        for (int i = 0; i < given.size(); i++) ids[i] = given.get(i).asInt();
        check(
                "clip_tiny_77",
                backend,
                (graph, weights) -> net.build(
                        graph.input("ids", DType.I32, 1, 77), 1, weights.at("cond_stage_model.transformer.text_model")),
                Tensor.of(ids, 1, 77));
    }

    @Test
    void timestepEmbedding() throws IOException {
        JsonNode expected = reference("timestep_embedding_320");
        int count = expected.get("t").size();
        float[] t = new float[count];
        for (int i = 0; i < count; i++) t[i] = expected.get("t").get(i).asInt();
        Graph graph = new Graph();
        graph.output(TimestepEmbedding.of(graph.input("t", DType.F32, count), 320));
        try (JvmBackend backend = new JvmBackend(1);
                Executable executable = backend.compile(graph)) {
            float[] y = executable.run(Tensor.of(t, count)).get(0).floats();
            for (int i = 0; i < count; i++) {
                // An angle near 1000 has 6e-5 between two floats.
                for (int k = 0; k < 4; k++) {
                    assertEquals(expected.get("first4").get(i).get(k).asDouble(), y[i * 320 + k], 1.2e-4);
                    assertEquals(expected.get("at160").get(i).get(k).asDouble(), y[i * 320 + 160 + k], 1.2e-4);
                }
                for (int k = 0; k < 2; k++)
                    assertEquals(expected.get("last2").get(i).get(k).asDouble(), y[i * 320 + 318 + k], 1e-6);
            }
        }
    }

    private static void check(String name, Backend backend, BiFunction<Graph, Weights, Value> build, Tensor... inputs)
            throws IOException {
        JsonNode expected = reference(name);
        Graph graph = new Graph();
        // What is asked for is made up on the spot: the shape comes with the asking.
        Filled filled = new Filled();
        Weights asking = Weights.of(new Graph(), filled);
        build.apply(asking.graph(), asking);
        asking.asked().forEach(filled::fill);
        Weights weights = Weights.of(graph, filled);
        graph.output(build.apply(graph, weights));
        weights.check();
        try (backend;
                Executable executable = backend.compile(graph)) {
            float[] y = executable.run(inputs).get(0).floats();
            double tolerance = 5 * expected.get("max_abs_f32_minus_f64").asDouble();
            compare(expected.get("f64_first16"), y, 0, tolerance, name);
            compare(expected.get("f64_last4"), y, y.length - 4, tolerance, name);
            double sum = 0, squares = 0;
            for (float v : y) {
                sum += v;
                squares += (double) v * v;
            }
            assertEquals(expected.get("f64_sum").asDouble(), sum, y.length * tolerance / 5, name);
            assertEquals(
                    expected.get("f64_sumsq").asDouble(), squares, 2 * tolerance * Math.sqrt(y.length * squares), name);
        }
    }

    private static void compare(JsonNode expected, float[] y, int from, double tolerance, String name) {
        for (int i = 0; i < expected.size(); i++) {
            double error = Math.abs(y[from + i] - expected.get(i).asDouble());
            assertTrue(error <= tolerance, name + " at " + (from + i) + ": error " + error + ", allowed " + tolerance);
        }
    }

    /** Weights by the formula; the convolutions beside the encoder and decoder, which the references lack, change nothing. */
    private static final class Filled implements Function<String, Optional<Tensor>> {
        private final java.util.Map<String, Tensor> tensors = new java.util.HashMap<>();

        @Override
        public Optional<Tensor> apply(String key) {
            return Optional.ofNullable(tensors.get(key));
        }

        void fill(String key, Shape shape) {
            int n = shape.elements();
            float[] values = new float[n];
            CRC32 crc = new CRC32();
            crc.update(key.getBytes(StandardCharsets.UTF_8));
            double c = crc.getValue() % 1000 / 100.0;
            for (int i = 0; i < n; i++) {
                double s = Math.sin(0.1 * i + c);
                if (key.contains("quant_conv")) s = shape.rank() > 1 && i / shape.dim(1) == i % shape.dim(1) ? 1 : 0;
                else if (shape.rank() > 1) s /= Math.sqrt(n / shape.dim(0));
                else s = key.endsWith(".weight") ? 1 + 0.1 * s : 0.1 * s;
                values[i] = (float) s;
            }
            tensors.put(
                    key,
                    Tensor.of(
                            values,
                            shape.dims().stream().mapToInt(Integer::intValue).toArray()));
        }
    }

    private static float[] series(int n, IntToDoubleFunction f) {
        float[] values = new float[n];
        for (int i = 0; i < n; i++) values[i] = (float) f.applyAsDouble(i);
        return values;
    }

    private static JsonNode reference(String name) throws IOException {
        try (InputStream in = TinyNetsTest.class.getResourceAsStream("tiny-nets.json")) {
            for (JsonNode entry : new ObjectMapper().readTree(in))
                if (entry.get("name").asText().equals(name)) return entry;
            throw new IllegalStateException("no reference " + name);
        }
    }
}
