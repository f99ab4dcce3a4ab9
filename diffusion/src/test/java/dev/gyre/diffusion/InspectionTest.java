package dev.gyre.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gyre.core.Graph;
import dev.gyre.core.Graphviz;
import dev.gyre.core.Observer;
import dev.gyre.core.Op;
import dev.gyre.core.jvm.JvmBackend;
import dev.gyre.core.profile.Trace;
import dev.gyre.diffusion.checkpoint.Checkpoint;
import dev.gyre.diffusion.family.NetworkPart;
import dev.gyre.diffusion.output.Picture;
import dev.gyre.diffusion.request.Request;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;

/** Looking into a model that draws. */
@Isolated("the flight recorder hears of every model in the JVM")
class InspectionTest {
    private static final Request REQUEST =
            Request.of("a red circle on a blue background").steps(2).seed(42);

    @TempDir
    Path folder;

    @Test
    void valuesAreSeenByTheCheckpointsNamesAndThePictureIsTheSame() {
        Map<String, List<Integer>> shapes = new TreeMap<>();
        Map<String, Integer> calls = new HashMap<>();
        try (StableDiffusion sd = StableDiffusion.embedded()) {
            Picture plain = sd.generate(REQUEST);
            sd.observe(Observer.of("*", (name, tensor) -> {
                shapes.put(name, tensor.shape().dims());
                calls.merge(name, 1, Integer::sum);
            }));
            Picture watched = sd.generate(REQUEST);
            sd.observe(Observer.NONE);
            int before = calls.size();
            assertArrayEquals(plain.rgb(), sd.generate(REQUEST).rgb());
            assertEquals(before, calls.size());
            // Norms and what follows them run apart while they are watched, which rounds otherwise.
            int worst = 0;
            for (int i = 0; i < plain.rgb().length; i++)
                worst = Math.max(worst, Math.abs((plain.rgb()[i] & 0xFF) - (watched.rgb()[i] & 0xFF)));
            assertTrue(worst <= 1, "off by " + worst);
        }
        String attention = "model.diffusion_model.middle_block.1.transformer_blocks.0.attn2";
        for (String name : List.of(
                attention,
                attention + ".heads",
                attention + ".to_q",
                attention + ".to_out.0",
                "model.diffusion_model.input_blocks.0",
                "model.diffusion_model.input_blocks.1.0.in_layers.0",
                "model.diffusion_model.middle_block",
                "model.diffusion_model.output_blocks.0",
                "model.diffusion_model.out.2",
                "model.diffusion_model.time_embed",
                "cond_stage_model.transformer.text_model.encoder.layers.0.self_attn",
                "cond_stage_model.transformer.text_model.final_layer_norm",
                "first_stage_model.decoder.mid.attn_1",
                "first_stage_model.decoder.conv_out")) assertTrue(shapes.containsKey(name), name + " is not seen");
        assertEquals(2, calls.get(attention), "once a step, guidance being a batch");
        assertEquals(1, calls.get("first_stage_model.decoder.conv_out"));
        assertEquals(List.of(2, 4, 16, 16), shapes.get("model.diffusion_model.out.2"));
    }

    /** A name is what a weight's key begins with, so whoever knows the checkpoint knows the names. */
    @Test
    void everyLayerWithWeightsHasItsName() {
        try (StableDiffusion sd = StableDiffusion.embedded()) {
            for (NetworkPart part : NetworkPart.values()) {
                Graph graph = sd.graph(part, new Request.Size(128, 128), 1);
                for (Op op : graph.ops()) {
                    List<String> keys = op.inputs().stream()
                            .filter(input -> input.constant().isPresent())
                            .map(input -> input.name())
                            .filter(key -> key.endsWith(".weight"))
                            .toList();
                    if (keys.isEmpty()) continue;
                    List<String> names = graph.names(op.output());
                    assertTrue(
                            keys.stream().anyMatch(key -> names.stream().anyMatch(key::startsWith)),
                            keys + " make " + names);
                }
                assertTrue(Graphviz.of(graph).endsWith("}\n"));
                assertTrue(graph.ops().stream().mapToLong(Op::flops).sum() > 1_000_000, part.label());
            }
        }
    }

    @Test
    void aTraceHasEveryOpInItsGraph() throws IOException {
        Path file = folder.resolve("trace.json");
        try (Trace trace = Trace.to(file);
                StableDiffusion sd = StableDiffusion.load(
                        Checkpoint.embedded(), new JvmBackend(JvmBackend.Options.DEFAULT.profiler(trace)))) {
            sd.generate(REQUEST);
            trace.span("steps", "a \"step\"\n", System.nanoTime(), 5, Map.of("seed", 42));
            assertFalse(Files.exists(file));
        }
        JsonNode events = new ObjectMapper().readTree(file.toFile()).get("traceEvents");
        Map<Integer, String> tracks = new HashMap<>();
        Map<String, Integer> counts = new HashMap<>();
        double begin = 0, end = 0;
        for (JsonNode event : events) {
            if (event.get("ph").asText().equals("M")) {
                if (event.has("tid"))
                    tracks.put(
                            event.get("tid").asInt(),
                            event.get("args").get("name").asText());
                continue;
            }
            String track = tracks.get(event.get("tid").asInt());
            counts.merge(track + " " + event.get("name").asText(), 1, Integer::sum);
            double start = event.get("ts").asDouble(),
                    stop = start + event.get("dur").asDouble();
            if (track.equals("graphs")) {
                assertTrue(start <= begin && end <= stop, "a graph lies around its ops");
                begin = Double.MAX_VALUE;
            } else {
                begin = Math.min(begin == 0 ? Double.MAX_VALUE : begin, start);
                end = stop;
            }
        }
        assertEquals(1, counts.get("graphs text encoder"));
        assertEquals(2, counts.get("graphs unet"));
        assertEquals(1, counts.get("graphs decoder"));
        assertEquals(1, counts.get("steps a \"step\"\n"));
        assertTrue(counts.get("ops Attention") > 10, counts.toString());
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(List.of(file), files.toList());
        }
        assertThrows(IOException.class, () -> Trace.to(folder.resolve("nowhere/trace.json")));
    }

    @Test
    void theFlightRecorderHearsOfStepsGraphsAndOps() throws IOException {
        Path file = folder.resolve("gyre.jfr");
        try (Recording recording = new Recording();
                StableDiffusion sd = StableDiffusion.embedded()) {
            for (String event : List.of("dev.gyre.Op", "dev.gyre.Run", "dev.gyre.Step")) recording.enable(event);
            recording.start();
            sd.generate(REQUEST);
            recording.stop();
            recording.dump(file);
        }
        List<RecordedEvent> events = RecordingFile.readAllEvents(file);
        List<RecordedEvent> steps = events.stream()
                .filter(event -> event.getEventType().getName().equals("dev.gyre.Step"))
                .toList();
        assertEquals(
                List.of(1, 2), steps.stream().map(step -> step.getInt("step")).toList());
        assertTrue(steps.stream()
                .allMatch(
                        step -> step.getInt("steps") == 2 && step.getDuration().toNanos() > 0));
        assertEquals(
                2,
                events.stream()
                        .filter(event -> event.getEventType().getName().equals("dev.gyre.Run")
                                && event.getString("graph").equals("unet"))
                        .count());
        assertTrue(events.stream()
                .anyMatch(event -> event.getEventType().getName().equals("dev.gyre.Op")
                        && event.getString("kind").equals("Attention")
                        && event.getString("value").endsWith("attn2.heads")
                        && event.getLong("flops") > 0));
    }
}
