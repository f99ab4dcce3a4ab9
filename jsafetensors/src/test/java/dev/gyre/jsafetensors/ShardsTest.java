package dev.gyre.jsafetensors;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ShardsTest {
    @TempDir
    Path folder;

    @BeforeEach
    void twoShards() throws IOException {
        shard("m-1.safetensors", "one", 'a', "a1", "a2");
        shard("m-2.safetensors", "two", 'b', "b1");
    }

    private void shard(String file, String part, char fill, String... names) throws IOException {
        SafeTensorsWriter writer =
                new SafeTensorsWriter().metadata("format", "pt").metadata("part", part);
        for (String name : names) writer.tensor(name, StoredType.U8, 2);
        byte[] data = {(byte) fill, (byte) fill};
        writer.write(folder.resolve(file), (tensor, sink) -> sink.put(MemorySegment.ofArray(data)));
    }

    private SafeTensors open(String json) throws IOException {
        return SafeTensors.open(Files.writeString(folder.resolve("m.safetensors.index.json"), json));
    }

    private void refused(String json, String... words) {
        String message =
                assertThrows(SafeTensorsException.class, () -> open(json)).getMessage();
        assertTrue(message.contains("m.safetensors.index.json: "), message);
        for (String word : words) assertTrue(message.contains(word), message + " should say " + word);
    }

    @Test
    void openTogether() throws IOException {
        try (SafeTensors both = open("{\"metadata\":{\"total_size\":6.0,\"more\":[{}]},\"weight_map\":"
                + "{\"b1\":\"m-2.safetensors\",\"a1\":\"m-1.safetensors\",\"a2\":\"m-1.safetensors\"}}")) {
            assertEquals(List.of("a1", "a2", "b1"), both.names());
            assertArrayEquals(new byte[] {'a', 'a'}, both.data("a2").toArray(ValueLayout.JAVA_BYTE));
            assertArrayEquals(new byte[] {'b', 'b'}, both.data("b1").toArray(ValueLayout.JAVA_BYTE));
            assertEquals(
                    Files.size(folder.resolve("m-1.safetensors")) + Files.size(folder.resolve("m-2.safetensors")),
                    both.size());
            assertEquals(folder.resolve("m.safetensors.index.json"), both.path());
            assertEquals(Map.of("format", "pt", "part", "one"), both.metadata());
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "../m-1.safetensors",
                "/etc/m-1.safetensors",
                "sub/m-1.safetensors",
                "./m-1.safetensors",
                "..\\\\m-1.safetensors",
                "C:m-1.safetensors",
                "m-1.safetensors\\u0000.safetensors",
                "..",
                "",
                "m-1.bin"
            })
    void shardsElsewhereAreRefused(String file) {
        refused("{\"weight_map\":{\"a1\":\"" + file + "\"}}", "\"a1\"", "plain name");
    }

    @Test
    void missingShard() {
        String message = assertThrows(
                        NoSuchFileException.class, () -> open("{\"weight_map\":{\"c1\":\"m-3.safetensors\"}}"))
                .getMessage();
        assertTrue(message.contains("index.json") && message.contains("m-3.safetensors") && message.contains("\"c1\""));
    }

    @Test
    void tensorThatIsNotInItsShard() {
        refused("{\"weight_map\":{\"nowhere\":\"m-1.safetensors\"}}", "\"nowhere\"", "\"m-1.safetensors\"");
        refused(
                "{\"weight_map\":{\"a1\":\"m-2.safetensors\",\"a2\":\"m-1.safetensors\"}}",
                "\"a1\"",
                "\"m-2.safetensors\"");
    }

    @Test
    void tensorInTwoShards() throws IOException {
        shard("m-2.safetensors", "two", 'b', "b1", "a1");
        refused("{\"weight_map\":{\"a1\":\"m-1.safetensors\",\"b1\":\"m-2.safetensors\"}}", "\"a1\"", "two shards");
    }

    @Test
    void brokenShardIsNamed() throws IOException {
        Files.write(folder.resolve("m-2.safetensors"), new byte[] {1, 2, 3});
        String message = assertThrows(
                        SafeTensorsException.class, () -> open("{\"weight_map\":{\"b1\":\"m-2.safetensors\"}}"))
                .getMessage();
        assertTrue(message.startsWith(folder.resolve("m-2.safetensors") + ": "), message);
    }

    @Test
    void indexThatIsNone() {
        refused("", "the index");
        refused("[]", "the index", "'['");
        refused("{\"weight_map\":{}", "the index");
        refused("{\"weight_map\":[]}", "the index", "'['");
        refused("{\"metadata\":{}}", "the index", "weight_map");
        refused("{\"weight_map\":{},\"weight_map\":{}}", "weight_map", "twice");
        refused("{\"weight_map\":{\"a1\":\"m-1.safetensors\",\"a1\":\"m-1.safetensors\"}}", "\"a1\"", "twice");
        refused("{\"weight_map\":{\"a1\":1}}", "the index", "'1'");
        refused("{\"x\":" + "[".repeat(100_000), "the index", "nested deeper");
    }
}
