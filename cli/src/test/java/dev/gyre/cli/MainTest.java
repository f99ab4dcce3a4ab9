package dev.gyre.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.DataInputStream;
import java.io.IOException;
import org.junit.jupiter.api.Test;

class MainTest {
    /** That an older Java then says the sentence is tried with a real one, in .ci/consumer-test.sh. */
    @Test
    void onlyTheMainClassIsForOlderVersionsOfJava() throws IOException {
        assertEquals(8, release(Main.class));
        assertEquals(Main.OLDEST, release(GyreCommand.class));
    }

    private static int release(Class<?> type) throws IOException {
        try (var in = new DataInputStream(type.getResourceAsStream(type.getSimpleName() + ".class"))) {
            assertEquals(0xCAFEBABE, in.readInt());
            in.readUnsignedShort(); // the minor version
            return in.readUnsignedShort() - 44;
        }
    }
}
