package dev.gyre.core;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The generated sources match their generator. */
class KernelAritiesTest {
    @Test
    void generatedSourcesAreUpToDate() throws IOException {
        for (Map.Entry<Path, String> file : KernelArities.files().entrySet())
            assertEquals(file.getValue(), Files.readString(file.getKey()), "regenerate " + file.getKey());
    }
}
