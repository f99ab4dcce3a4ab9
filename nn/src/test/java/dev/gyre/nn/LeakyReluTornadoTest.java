package dev.gyre.nn;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gyre.core.tornado.TornadoBackend;
import org.junit.jupiter.api.Test;

/** The custom layer of the README, unchanged, on a device. */
class LeakyReluTornadoTest {
    @Test
    void runs() {
        assumeTrue(TornadoBackend.isAvailable(), "TornadoVM is not on this JVM: the layer is not tried on a device");
        LeakyReluTest.check(new TornadoBackend());
    }
}
