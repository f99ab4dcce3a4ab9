package dev.gyre.diffusion.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gyre.diffusion.References;
import dev.gyre.diffusion.family.SyntheticCheckpoint;
import dev.gyre.jsafetensors.StoredType;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class SyntheticCheckpointTest {
    @Test
    void theNetworksAskForExactlyThePublishedParameters() throws IOException {
        Map<String, String> published = new TreeMap<>();
        try (InputStream in = References.class.getResourceAsStream("sd15-keys.tsv")) {
            new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().forEach(line -> {
                String[] columns = line.split("\t");
                published.put(columns[0], columns[1]);
            });
        }
        assertEquals(1130, published.size());
        Map<String, String> asked = new TreeMap<>();
        SyntheticCheckpoint.parameters()
                .forEach((key, shape) -> asked.put(
                        key, shape.dims().stream().map(String::valueOf).collect(Collectors.joining("x"))));
        assertEquals(published, asked);
    }

    @Test
    void hashedNumbers() {
        double[] known = {-0.168191075, 0.369894147, 0.820139527, 0.012341022};
        for (int i = 0; i < 4; i++) assertEquals(known[i], SyntheticCheckpoint.u("golden.x", i), 1e-9);
    }

    @Test
    void keysOfAveragedWeights() {
        assertEquals(
                "model_ema.diffusion_modelinput_blocks00weight",
                Checkpoint.emaKey("model.diffusion_model.input_blocks.0.0.weight"));
    }

    @Test
    void otherTypesAreRefused() {
        Exception e = assertThrows(
                IllegalArgumentException.class,
                () -> SyntheticCheckpoint.write(Path.of("never.safetensors"), StoredType.BF16, false));
        assertEquals("a synthetic checkpoint is of type F32 or F16, got BF16", e.getMessage());
    }
}
