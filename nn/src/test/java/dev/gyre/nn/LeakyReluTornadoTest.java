package dev.gyre.nn;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gyre.core.tornado.TornadoBackend;
import org.junit.jupiter.api.Test;

/** The README's layer of one's own, unchanged, on the device that TornadoVM reaches. */
class LeakyReluTornadoTest {
    @Test
    void runs() {
        assumeTrue(TornadoBackend.isAvailable(), "TornadoVM is not on this JVM: the layer is not tried on a device");
        LeakyReluTest.check(new TornadoBackend());
    }
}
