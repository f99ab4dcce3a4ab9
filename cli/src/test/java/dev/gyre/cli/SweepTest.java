package dev.gyre.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class SweepTest {
    @TempDir
    Path folder;

    private final StringWriter err = new StringWriter();

    private int sweep(String... arguments) {
        CommandLine line = GyreCommand.commandLine();
        line.setErr(new PrintWriter(err, true));
        String[] all = new String[arguments.length + 1];
        all[0] = "sweep";
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        return line.execute(all);
    }

    private void said(String text) {
        assertTrue(err.toString().contains(text), err.toString());
        err.getBuffer().setLength(0);
    }

    @Test
    void aTableASheetAndAReport() throws IOException {
        Path prompts = folder.resolve("prompts.jsonl"), out = folder.resolve("results.arrow");
        Files.writeString(prompts, "{\"prompt\": \"a yellow star\"}\n");
        String[] line = {prompts.toString(), "--grid", "size=64x64 steps=1,2", "--out", out.toString(), "--threads", "2"
        };
        assertEquals(0, sweep(line), err.toString());
        said("1 prompts, 2 combinations each: 2 pictures");
        for (String name : new String[] {"results.arrow", "results.png", "results.html"})
            assertTrue(Files.exists(folder.resolve(name)), name);
        assertEquals(0, sweep(line), err.toString());
        said("2 of 2 rows are there already");
        line[2] = "size=64x64 steps=1,3";
        assertEquals(1, sweep(line));
        said("gyre: " + out + ": it holds another sweep: its plan sha256 is ");
    }

    @Test
    void whatMakesNoSenseIsSaidBeforeAnythingIsDrawn() throws IOException {
        Path prompts = folder.resolve("prompts.csv");
        assertEquals(1, sweep(prompts.toString()));
        said("prompts.csv: there is no such file");
        Files.writeString(prompts, "prompt,seed\na,1\n");
        assertEquals(2, sweep(prompts.toString(), "--grid", "steps=0"));
        said("--grid: steps: 1 to 1000, got 0");
        assertEquals(2, sweep(prompts.toString(), "--grid", "seed=1"));
        said("\"seed\" is a column of prompts.csv and a setting of the grid");
        assertEquals(
                1,
                sweep(prompts.toString(), "--out", folder.resolve("no/x.arrow").toString()));
        said("there is no folder");
        assertEquals(1, folder.toFile().list().length, "nothing was written");
    }
}
