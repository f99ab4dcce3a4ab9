package dev.gyre.experiments;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gyre.arrow.ArrowFiles;
import dev.gyre.diffusion.settings.SettingValues;
import dev.gyre.diffusion.settings.Settings;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PlanTest {
    @TempDir
    Path folder;

    private static SettingValues settings(String prompt, String sampler, String steps, String seed) {
        return SettingValues.of(
                Map.of(Settings.PROMPT, prompt, Settings.SAMPLER, sampler, Settings.STEPS, steps, Settings.SEED, seed));
    }

    @Test
    void theLastSettingChangesFirst() throws IOException {
        Plan plan = Tables.plan(folder, "prompt\na\nb\n", "sampler=euler,ddim steps=10,20 seed=0..2");
        assertEquals(24, plan.size());
        assertEquals(settings("a", "euler", "10", "1"), plan.job(1).settings());
        assertEquals(settings("a", "euler", "20", "0"), plan.job(3).settings());
        assertEquals(settings("b", "ddim", "20", "2"), plan.job(23).settings());
    }

    @Test
    void aGridComesBackFromItsText() {
        for (String text : List.of(
                "sampler=euler,dpmpp_2m steps=10,20 guidance=5,7.5 seed=0..7",
                "seed=1,3,5",
                "seed=3..9999",
                "negative=\"blurry, dark\",plain sampler=\"DPM++ 2M Karras\"",
                "")) assertEquals(text, Grid.parse(text).toString());
        assertEquals(Grid.parse("seed=0,1,2"), Grid.parse("seed=0..2"));
        assertEquals(1, Grid.parse("").size());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "steps|grid: settings as in steps=10,20 are expected, got \"steps\"",
                "colour=red|grid: there is no setting \"colour\"; there are prompt, negative,",
                "steps=ten|grid: steps: a whole number, got \"ten\"",
                "steps=0|grid: steps: 1 to 1000, got 0",
                "steps=10,10|grid: steps: each value once, got [10, 10]",
                "seed=7..0|grid: seed: a range as in 0..7, got \"7..0\"",
                "seed=1 seed=2|grid: the setting seed is given twice",
                "sampler=best|grid: unknown sampler \"best\"; there are",
                "size=100|grid: size: width and height as in 512x512, got 100",
            })
    void aGridThatMakesNoSenseIsSaid(String grid, String message) {
        String got = assertThrows(IllegalArgumentException.class, () -> Grid.parse(grid))
                .getMessage();
        assertTrue(got.startsWith(message), got);
    }

    @Test
    void allThreeFormatsAreOneTable() throws IOException {
        Path csv = folder.resolve("p.csv"), json = folder.resolve("p.jsonl"), arrow = folder.resolve("p.arrow");
        Files.writeString(csv, "prompt,seed,kind\r\n\"a \"\"red\"\" circle, large\",7,\"x\ny\"\r\nb,,\r\n");
        Files.writeString(
                json,
                """
                {"prompt": "a \\"red\\" circle, large", "seed": 7, "kind": "x\\ny"}

                {"prompt": "b", "seed": null}
                """);
        try (BufferAllocator allocator = new RootAllocator();
                VarCharVector prompt = new VarCharVector("prompt", allocator);
                BigIntVector seed = new BigIntVector("seed", allocator);
                VarCharVector kind = new VarCharVector("kind", allocator);
                VectorSchemaRoot table = VectorSchemaRoot.of(prompt, seed, kind)) {
            table.allocateNew();
            prompt.setSafe(0, "a \"red\" circle, large".getBytes(StandardCharsets.UTF_8));
            prompt.setSafe(1, "b".getBytes(StandardCharsets.UTF_8));
            seed.setSafe(0, 7);
            kind.setSafe(0, "x\ny".getBytes(StandardCharsets.UTF_8));
            table.setRowCount(2);
            ArrowFiles.write(arrow, table);
        }
        List<Map<String, Object>> expected = List.of(
                Map.of("prompt", "a \"red\" circle, large", "seed", "7", "kind", "x\ny"), Map.of("prompt", "b"));
        for (Path file : List.of(csv, json, arrow))
            assertEquals(expected, Prompts.read(file).rows(), file.toString());
    }

    @Test
    void aTableThatMakesNoSenseIsSaid() throws IOException {
        refused("text\na\n", "", "prompts.csv: a column \"prompt\" is expected, there are text");
        refused("prompt,seed\na,1\n", "seed=1,2", "\"seed\" is a column of prompts.csv and a setting of the grid");
        refused("prompt,steps\na,1\nb,x\n", "", "prompts.csv: row 2: steps: a whole number, got \"x\"");
        refused("prompt,png\na,1\n", "", "prompts.csv: column \"png\" has the name of a column of results");
        for (Map.Entry<String, String> bad : Map.of(
                        "prompt,kind\na\n", "row 1 has 1 fields, the first line has 2",
                        "prompt\n\"a\n", "a quote is not closed: \"a",
                        "prompt\n\"a\" b\n", "a comma is expected behind a quoted field: \"a\" b",
                        "prompt\n", "there are no prompts in it",
                        "", "there are no prompts in it")
                .entrySet()) {
            Path file = folder.resolve("bad.csv");
            Files.writeString(file, bad.getKey());
            assertEquals(
                    file + ": " + bad.getValue(),
                    assertThrows(IOException.class, () -> Prompts.read(file)).getMessage());
        }
        Files.writeString(folder.resolve("bad.jsonl"), "{\"prompt\": \"a\"}\n[1]\n");
        assertTrue(assertThrows(IOException.class, () -> Prompts.read(folder.resolve("bad.jsonl")))
                .getMessage()
                .endsWith("line 2: an object is expected, got array"));
        Files.writeString(folder.resolve("bad.txt"), "a");
        assertThrows(IOException.class, () -> Prompts.read(folder.resolve("bad.txt")));
        assertThrows(IOException.class, () -> Prompts.read(folder.resolve("none.csv")));
    }

    private void refused(String csv, String grid, String message) {
        String got = assertThrows(IllegalArgumentException.class, () -> Tables.plan(folder, csv, grid))
                .getMessage();
        assertTrue(got.startsWith(message), got);
    }

    @Test
    void anotherPlanHasAnotherHash() throws IOException {
        String one = Tables.plan(folder, "prompt\na\nb\n", "seed=0..2").sha256();
        assertEquals(
                one, Tables.plan(folder, "prompt\r\n\"a\"\nb", "seed=0,1,2").sha256());
        for (String[] other : new String[][] {
            {"prompt\na\nc\n", "seed=0..2"},
            {"prompt\nb\na\n", "seed=0..2"},
            {"prompt\na\nb\n", "seed=0..3"},
            {"prompt\nab\n", "seed=0..2"},
            {"prompt,kind\na,x\nb,\n", "seed=0..2"}
        }) assertNotEquals(one, Tables.plan(folder, other[0], other[1]).sha256(), String.join(" ", other));
    }

    @Test
    void otherColumnsAreLabels() throws IOException {
        Plan plan = Tables.plan(folder, "prompt,kind,reference\na,x,r.png\nb,,\n", "");
        assertEquals(List.of("kind"), plan.labels());
        assertTrue(plan.hasReferences());
        assertEquals(Map.of("kind", "x"), plan.job(0).labels());
        assertEquals(
                folder.resolve("r.png"), plan.job(0).reference().orElseThrow().path());
        assertFalse(plan.job(1).reference().isPresent());
        assertEquals(0, plan.job(0).request().noise().seed().orElseThrow());
    }
}
