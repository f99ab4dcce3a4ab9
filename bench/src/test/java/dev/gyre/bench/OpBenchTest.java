package dev.gyre.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OpBenchTest {
    private static final String[] SHORT = {"-f", "1", "-wi", "0", "-i", "2", "-r", "20ms", "-v", "SILENT"};

    @TempDir
    Path folder;

    /** In JVMs of their own, as in earnest, only shorter; what JMH writes is compared with itself. */
    @Test
    void aPlainClassIsMeasuredBothWays() throws Exception {
        Path json = folder.resolve("result.json");
        String[] options = new String[SHORT.length + 4];
        System.arraycopy(SHORT, 0, options, 0, SHORT.length);
        System.arraycopy(new String[] {"-rf", "json", "-rff", json.toString()}, 0, options, SHORT.length, 4);
        String csv = OpBench.run(SquareBench.class, options).as("csv");
        String[] lines = csv.split("\n");
        assertEquals("size,threads,loops ms,±,kernel ms,± ,loops / kernel,GFLOP/s,largest error", lines[0]);
        assertEquals(3, lines.length, csv);
        assertTrue(lines[1].startsWith("100,0,") && lines[2].startsWith("5000,0,"), csv);
        for (int i = 1; i < 3; i++) {
            String[] cells = lines[i].split(",");
            assertEquals(Double.parseDouble(cells[2]) / Double.parseDouble(cells[4]), Double.parseDouble(cells[6]));
            assertTrue(Double.parseDouble(cells[7]) > 0, csv);
            assertEquals(0, Double.parseDouble(cells[8]));
        }
        assertTrue(Files.exists(json));
        Comparison comparison = Comparison.of(json, json);
        assertEquals(4, comparison.rows().size());
        for (Comparison.Row row : comparison.rows()) {
            assertEquals(1, row.ratio());
            assertTrue(row.what().contains("type=" + SquareBench.class.getName()), row.what());
        }
    }

    @Test
    void aFasterWayThatIsWrongIsNotMeasured() {
        IllegalArgumentException e =
                assertThrows(IllegalArgumentException.class, () -> OpBench.run(SquareBench.Wrong.class, SHORT));
        assertTrue(e.getMessage().contains("the faster way is wrong: element"), e.getMessage());
    }

    @Test
    void whatIsNoBenchIsRefused() {
        assertTrue(assertThrows(IllegalArgumentException.class, () -> OpBench.make("java.lang.String"))
                .getMessage()
                .startsWith("java.lang.String: a public class that implements OpBench"));
    }
}
